"""python3 -m pysceau COMMAND: seal, open, find, wrap, key files, values."""

import argparse
import binascii
import json
import os
import shutil
import sys
import tempfile
import time

from . import code, envelope, kdf, keyfile, mail, records
from .errors import NotSealed, SceauError

INPUT = 65


def unhex(text):
    try:
        return binascii.unhexlify(text)
    except binascii.Error as e:
        raise argparse.ArgumentTypeError(str(e))


def octets(text):
    return os.fsencode(text)


def plain(value):
    """Fields for JSON: octets that are text as text, the others in hex."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, bytes):
        text = value.isascii() and all(32 <= c < 127 for c in value)
        return value.decode() if text and len(value) != 32 else value.hex()
    return value


def header_json(h):
    return {"source": h.source, "year": h.year, "sender": h.sender.decode(),
            "recipient": h.recipient.decode(), "salt": h.salt.hex(),
            "T": h.T.hex()}


def payload_json(h, p):
    return dict(header_json(h), D=p.D.hex(), mail_octets=p.mail_size,
                records=[dict(plain(f), type=records.NAMES[t])
                         for t, f in p.fields])


def channel_of(args, header):
    if args.channel is not None:
        return args.channel
    if args.member_key is not None:
        return kdf.channel_key(args.member_key, header.sender)
    raise SystemExit("one of --channel and --member-key is needed")


def spooled(f):
    """A seekable copy of a pipe; removed with its last descriptor."""
    copy = tempfile.TemporaryFile()
    shutil.copyfileobj(f, copy)
    copy.seek(0)
    return copy


def cmd_seal(args):
    out = sys.stdout.buffer
    channel = args.channel
    if channel is None and args.member_key is not None:
        channel = kdf.channel_key(args.member_key, args.sender)
    now = int(time.time()) if args.time is None else args.time
    recs = [records.meta(now, args.bulletin, args.held or args.year, 1)]
    if args.grant is not None:
        recs.append(records.grant(args.year, args.grant, args.recipient))
    if args.return_from is not None:
        back = kdf.channel_key(args.return_from, args.recipient)
        recs.append(records.grant(args.year, back, args.sender))
    for text in args.record or ():
        name, _, value = text.partition(":")
        t = records.TYPES.get(name.upper())
        recs.append((int(name, 16) if t is None else t, unhex(value)))
    body = None if args.no_mail else spooled(sys.stdin.buffer)
    if args.witness_from is not None:
        key = kdf.witness_key(args.witness_from)
        recs.append(records.witness(kdf.witness(
            key, now, args.recipient, envelope.digest_of(body))))
    info = envelope.seal(out, channel, args.year, args.sender,
                         args.recipient, recs, body, args.source, args.rnd)
    out.flush()
    print(json.dumps({"T": info.T.hex(), "D": info.D.hex()}),
          file=sys.stderr)


def cmd_open(args):
    f = spooled(sys.stdin.buffer)
    r = envelope.Reader(f)
    p = r.key(channel_of(args, r.header)).payload(args.limit)
    if args.json:
        print(json.dumps(payload_json(r.header, p)), file=sys.stderr)
    if not p.has_mail:
        return
    f.seek(0)                       # the whole is good: again, to the output
    r = envelope.Reader(f)
    r.key(channel_of(args, r.header)).payload(args.limit, sys.stdout.buffer)


def cmd_header(args):
    print(json.dumps(header_json(envelope.read_header(sys.stdin.buffer))))


def cmd_find(args):
    with tempfile.TemporaryFile() as sink:
        f = mail.Finder(sink)
        for block in iter(lambda: sys.stdin.buffer.read(65536), b""):
            f.feed(block)
        f.finish()
        sink.seek(0)
        shutil.copyfileobj(sink, sys.stdout.buffer)


def cmd_wrap(args):
    mail.wrap_to(sys.stdout.buffer, sys.stdin.buffer, args.route_from,
                 args.route_to, args.date, args.message_id)


def cmd_keyfile(args):
    data = sys.stdin.buffer.read()
    kf = keyfile.read(data, code.parse(args.code), args.old_key or ())
    print(json.dumps(dict(payload_json(kf.header, kf.payload),
                          paper=keyfile.paper_digits(data))))


def cmd_association(args):
    from . import association
    association.write_small(args.folder, args.root, args.year)


def cmd_code(args):
    if args.hex is not None:
        print(code.format(args.hex))
    else:
        print(code.parse(args.text).hex())


def cmd_fingerprint(args):
    h = kdf.hasher()
    for block in iter(lambda: sys.stdin.buffer.read(65536), b""):
        h.update(block)
    print(h.hexdigest())


def parser():
    p = argparse.ArgumentParser(prog="pysceau", description=__doc__)
    sub = p.add_subparsers(dest="command", required=True)

    def command(name, run, help_):
        s = sub.add_parser(name, help=help_)
        s.set_defaults(run=run)
        return s

    s = command("seal", cmd_seal, "mail on stdin, envelope on stdout")
    s.add_argument("--channel", type=unhex, help="C(from->to), hex")
    s.add_argument("--member-key", type=unhex, help="K of the recipient, hex")
    s.add_argument("--from", dest="sender", type=octets, required=True)
    s.add_argument("--to", dest="recipient", type=octets, required=True)
    s.add_argument("--year", type=int, required=True)
    s.add_argument("--time", type=int, help="META time")
    s.add_argument("--held", type=int, help="META highest year held")
    s.add_argument("--bulletin", type=int, default=0)
    s.add_argument("--grant", type=unhex, help="C(to->from), hex")
    s.add_argument("--return-from", type=unhex,
                   help="K of the sender: GRANT is derived from it")
    s.add_argument("--witness-from", type=unhex,
                   help="K of the sender: WITNESS is made with it")
    s.add_argument("--record", action="append", metavar="TYPE:HEX")
    s.add_argument("--source", type=lambda x: int(x, 0), default=0)
    s.add_argument("--rnd", type=unhex)
    s.add_argument("--no-mail", action="store_true")
    s = command("open", cmd_open, "envelope on stdin, mail on stdout")
    s.add_argument("--channel", type=unhex)
    s.add_argument("--member-key", type=unhex, help="K of the recipient, hex")
    s.add_argument("--limit", type=int, default=records.LIMIT_MAIL)
    s.add_argument("--json", action="store_true", help="records on stderr")
    command("header", cmd_header, "envelope on stdin, its header as JSON")
    command("find", cmd_find, "mail on stdin, envelope on stdout")
    s = command("wrap", cmd_wrap, "envelope on stdin, mail on stdout")
    s.add_argument("--route-from", required=True)
    s.add_argument("--route-to", required=True)
    s.add_argument("--date")
    s.add_argument("--message-id")
    s = command("keyfile", cmd_keyfile, "key file on stdin, JSON on stdout")
    s.add_argument("--code", required=True)
    s.add_argument("--old-key", type=unhex, action="append")
    s = command("association", cmd_association,
                "key files and codes of a small association, in a folder")
    s.add_argument("folder")
    s.add_argument("--root", type=unhex, required=True)
    s.add_argument("--year", type=int, required=True)
    s = command("code", cmd_code, "a code to octets, or back")
    s.add_argument("text", nargs="?")
    s.add_argument("--hex", type=unhex)
    command("fingerprint", cmd_fingerprint, "D of what is on stdin")
    return p


def main(argv=None):
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except SceauError as e:
        print(f"pysceau: {e}", file=sys.stderr)
        return INPUT
    except NotSealed:
        print("pysceau: no envelope", file=sys.stderr)
        return INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
