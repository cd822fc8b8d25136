"""One row of the table of what servers do."""

import dataclasses

from hostile.servers import QUICK_S

SESSION = "the session has taken longer"


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """set_up(server) is called before the first pass; each of "then", if any,
    before one more, when the server has begun to behave."""
    protocol: str
    step: str
    name: str
    set_up: object
    then: tuple = ()
    codes: tuple = (75,)    # exit codes when something is left to do
    account: tuple = ()     # settings of the account there
    reached: bool = True    # the step must come to pass
    lost: int = 0           # mails that the server itself throws away
    hidden: bool = False    # it hides some, and that cannot be known
    liar: bool = False      # it gives one message for another
    stays: bool = False     # what it said of them is believed for good
    each: tuple = ()        # exit code of each pass of "then"
    again: str = ""         # our store is gone: all is shown twice, "new" or
    #                         "flagged" (sceau-security(7), Backups)
    marked: bool = False    # they stay there, marked as deleted or as asked
    bounds: tuple = (25, 48)    # seconds of a pass, MB of a process
    timeout: int = QUICK_S  # the setting, in seconds
    says: str = ""          # part of the reason that it must give
    # Of relays:
    refuses: bool = False   # each mail, for good
    takes: bool = False     # each mail, all the same
    of_mail: bool = False   # it says so of that mail, not of the way
    size: int = 0           # octets of a mail
    relay: tuple = ()       # settings of that relay
    honest: bool = False    # another relay stands beside it

    @property
    def key(self):
        return f"{self.protocol} {self.step} {self.name}"
