"""Sealing and opening alone: as whole processes, octets in, octets out, and
one message after the other inside a process (gate.c).

The floor is libsodium itself over the same octets in memory: BLAKE2b once
and ChaCha20-Poly1305 once.  openssl cms uses AES-256-GCM for a certificate,
gpg AES-256 with a passphrase and no compression, age an X25519 key.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from bench.measure import Failed, Run, Side, compare, each, run
from bench.stand import MEMORY, digest
from world.ca import CA
from world.demo import KEYS

SIZES = ((1_000, "1 KB", 10), (8_000, "8 KB", 10), (1_000_000, "1 MB", 5),
         (100_000_000, "100 MB", 1), (500_000_000, "500 MB", 1))
HUGE = 500_000_000      # only when all is measured
INSIDE = ((8_000, "8 KB", 40), (1_000_000, "1 MB", 2),
          (100_000_000, "100 MB", 2))
TO = "demo/dr.martin@cabinet.example"


def _env(home):
    return {"PATH": "/usr/bin:/bin", "LANG": "C", "HOME": str(home),
            "GNUPGHOME": str(home)}


def _quiet(*argv):
    subprocess.run([*map(str, argv)], check=True, capture_output=True)


def _sceau(sceau, _):
    return ([sceau, "--store", KEYS / "labo.central.store", "seal", "--to",
             TO], [sceau, "--store", KEYS / "dr.martin.store", "open"])


def _age(_, home):
    key = home / "age.key"
    if not key.exists():
        _quiet("age-keygen", "-o", key)
    public = key.read_text().partition("public key: ")[2].split()[0]
    return ["age", "-e", "-r", public], ["age", "-d", "-i", key]


def _gpg(_, home):
    (home / "words").write_text("one two three four five\n")
    common = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback",
              "--passphrase-file", home / "words"]
    return ([*common, "--compress-algo", "none", "--symmetric"],
            [*common, "--decrypt"])


def _openssl(_, home):
    (home / "ca").mkdir(exist_ok=True)
    cert = CA(home / "ca").issue("dr.example")
    return (["openssl", "cms", "-encrypt", "-binary", "-stream", "-outform",
             "DER", "-aes-256-gcm", cert.cert],
            ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER",
             "-inkey", cert.key, "-recip", cert.cert])


TOOLS = {"sceau": _sceau, "age": _age, "gpg": _gpg, "openssl": _openssl}


def small(bench, name, *words):
    """The path of that small program, made with those words for cc."""
    source = pathlib.Path(__file__).with_name(f"{name}.c")
    program = bench.out / name
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libsodium"],
                           capture_output=True, text=True, check=False)
    done = subprocess.run(
        ["cc", "-std=gnu11", "-O2", "-o", program, source, *words,
         *flags.stdout.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{name}.c: {done.stderr[-200:]}")
    return program


def gate(bench):
    """The program that has the vault in it, of the release."""
    built = bench.sceau.parent
    return small(bench, "gate", "-I", built, "-I", bench.out / "tree/src",
                 *(built / f"src/lib{x}.a" for x in ("vault", "mail", "base")),
                 "-lseccomp")


def _alone(program, octets, times, told):
    """Measured over so many, told for so many."""
    def work():
        done = subprocess.run([program, str(octets), str(times)],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed("it does not run")
        took = sum(map(float, done.stdout.split())) * told
        return Run(took, took)
    return Side("libsodium alone", work, floor=True, note="no process")


def _way(argv, given, taken, wanted, times, home):
    """One direction of one tool: the last output is what was wanted."""
    def work():
        return each(times, lambda _: run(argv, env=_env(home), stdin=given,
                                         stdout=taken))

    def check():
        if wanted and digest(taken.read_bytes()) != wanted:
            raise Failed("other octets came out")
    return work, check


def _sides(bench, home, octets, times, opening):
    plain = home / "plain"
    wanted = digest(plain.read_bytes())
    for name, make in TOOLS.items():
        if not shutil.which(name) and name != "sceau":
            bench.skip(name, "not installed")
            continue
        seal, open_ = make(bench.sceau, home)
        sealed, out = home / f"{name}.sealed", home / "out"
        if opening:
            work, check = _way(open_, sealed, out, wanted, times, home)
            run(seal, env=_env(home), stdin=plain, stdout=sealed)
        else:
            work, check = _way(seal, plain, sealed, None, times, home)
        yield Side(name, work, check=check, n=times)


def _titles(words):
    return [f"{way}: {words}, whole processes" for way in ("seal", "open")]


def _inside(bench, octets, words, rounds, program):
    """Many messages in one process: the seconds of one, either way."""
    at = gate(bench)
    for opening, way in enumerate(("seal", "open")):
        title = f"{way}: {words}, inside a process"
        if not bench.wants(title):
            continue

        def work(column=opening):
            done = subprocess.run(
                [at, KEYS / "labo.central.store", KEYS / "dr.martin.store",
                 TO, str(octets), str(rounds)], capture_output=True,
                text=True, check=False)
            if done.returncode:
                raise Failed(done.stderr[-200:])
            took = float(done.stdout.split()[column])
            return Run(took, took)
        bench.table(title, compare(
            [Side("sceau", work), _alone(program, octets, 5 * rounds, 1)],
            1, bench.rounds), "message", octets)


def _measure(bench, home, octets, words, times, program):
    (home / "plain").write_bytes(os.urandom(octets))
    for opening, title in enumerate(_titles(words)):
        if not bench.wants(title):
            continue
        sides = list(_sides(bench, home, octets, times, opening))
        sides.append(_alone(program, octets, times, times))
        bench.table(title, compare(sides, times, bench.rounds), "message",
                    octets)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=False,
                   env=_env(home), capture_output=True)


def measure(bench):
    program = small(bench, "sodium")
    for octets, words, times in SIZES:
        if any(map(bench.wants, _titles(words))) and (
                bench.full or octets < HUGE):
            with tempfile.TemporaryDirectory(dir=MEMORY) as home:
                _measure(bench, pathlib.Path(home), octets, words, times,
                         program)
    for octets, words, rounds in INSIDE:
        _inside(bench, octets, words, rounds, program)
