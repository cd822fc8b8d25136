"""The classes of refusal, as exceptions that carry their name."""

CLASSES = (
    "FORMAT VERSION NOTFORME NOKEY EXPIRED HEADER BARRED DUPLICATE BODY "
    "TRUNCATED RECORD AUTHORITY INNER POLICY TOOBIG IO LOCKED").split()


class SceauError(Exception):
    """An envelope, a mail or a text that is refused, and why."""

    def __init__(self, cls, text=""):
        assert cls in CLASSES, cls
        super().__init__(f"{cls}: {text}" if text else cls)
        self.cls = cls
        self.text = text


class NotSealed(Exception):
    """The finder met no envelope: an ordinary mail, not an error."""
