"""What laboratories send: HPRIM results, reports in PDF, and their mail."""

import base64
import email.message
import email.policy
import random


def hprim(family, given, marker, sender, recipient):
    """One patient's result, as laboratories write it: ISO-8859-1, CRLF."""
    lines = ["1234567", family, given, "3 rue des Lilas", "",
             "35000 RENNES", "12/05/1961", "261053500000122", "2611230042",
             "23/11/2026", f"LABO00001  {sender}", f"CAB000001  {recipient}",
             "", "BIOCHIMIE SANGUINE", "", marker,
             "Prélèvement à jeun ; résultat contrôlé.",
             "****FIN****", "****FINFICHIER****"]
    return "\r\n".join(lines + [""]).encode("iso-8859-1")


def pdf(octets, seed=1):
    """A report of that size that nothing can compress."""
    head, tail = b"%PDF-1.4\n", b"\n%%EOF\n"
    body = random.Random(seed).randbytes(octets - len(head) - len(tail))
    return head + body + tail


def mail(sender, recipients, subject, text, name=None, data=None,
         kind="application/octet-stream"):
    """A mail with one document, lines ended by CRLF."""
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"], m["Subject"] = sender, ", ".join(recipients), subject
    m.set_content(text)
    if name:
        main, _, sub = kind.partition("/")
        m.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return m.as_bytes()


def wrapped(route_from, route_to, envelope):
    """An envelope in a mail, as a stranger who has one could send it."""
    text = base64.encodebytes(envelope).replace(b"\n", b"\r\n")
    return (f"From: <{route_from}>\r\nTo: <{route_to}>\r\n"
            "Subject: Message scelle\r\nMIME-Version: 1.0\r\n"
            "Content-Type: application/vnd.sceau\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n").encode() + text


def altered(message):
    """The same sealed mail with one character of its last lines changed."""
    at = message.rindex(b"=") if b"=" in message[-80:] else len(message) - 8
    at = message.rindex(b"\n", 0, at - 200) + 10
    other = b"A" if message[at:at + 1] != b"A" else b"B"
    return message[:at] + other + message[at + 1:]
