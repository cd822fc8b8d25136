"""A kernel that does not know some system calls: a seccomp filter around the
program, made before it is executed.

    member.sceau("poll", refused=kernel.LANDLOCK)

kernel.LIMITS: who lowers a limit hears that it is done, and it is not; that of
cores is as high as it may be.
"""

import ctypes
import errno
import resource

LANDLOCK = ("landlock_create_ruleset", "landlock_restrict_self")
SECCOMP = ("seccomp", "prctl")      # of prctl(2) only what sets a filter
LOCKING = ("mlock", "mlock2", "mlockall")
LIMITS = ("prlimit64",)             # what sets one

ALLOW, ERRNO = 0x7fff0000, 0x00050000
NE, MASKED_EQ = 1, 7
PR_SET_SECCOMP = 22


class Argument(ctypes.Structure):
    """struct scmp_arg_cmp of libseccomp."""
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int),
                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def _library():
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    lib.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
        ctypes.POINTER(Argument)]
    return lib


def without(*calls):
    """For Popen's preexec_fn: from now on those calls are not there."""
    lib = _library()
    context = lib.seccomp_init(ALLOW)
    assert context, "no memory"
    for name in calls:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        assert number >= 0, name
        args, n, error = None, 0, errno.ENOSYS
        if name == "prctl":
            args = Argument(0, MASKED_EQ, 0xffffffff, PR_SET_SECCOMP)
            n, error = 1, errno.EINVAL
        elif name == "prlimit64":
            args = Argument(2, NE, 0)
            n, error = 1, 0
        assert lib.seccomp_rule_add_array(
            context, ERRNO | error, number, n,
            ctypes.byref(args) if n else None) == 0, name

    def load():
        if "prlimit64" in calls:
            _, most = resource.getrlimit(resource.RLIMIT_CORE)
            resource.setrlimit(resource.RLIMIT_CORE, (most, most))
        if lib.seccomp_load(context) != 0:
            raise OSError("the filter was not loaded")
    return load
