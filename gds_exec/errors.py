"""Every way to fail before the command begins.

    GdsExecError                     125
    ├── UsageError                     2  the command line cannot be understood
    ├── ConfigError                  125  what the user has set up cannot be used
    │   ├── BrokenFile                    a file that cannot be read or parsed
    │   ├── UnknownRole                   no profile, ARN or ACCOUNT/ROLE of that name
    │   ├── BrokenProfile                 settings that contradict or miss one another
    │   │   └── SourceProfileMissing          a source_profile that is in no file
    │   ├── NoAccessKey                   a source profile without keys
    │   ├── CopiedSession                 a profile that holds a session from --write-profile
    │   └── NotSupportedYet               settings that another release will read
    ├── CredentialsError             125  no session could be had
    │   ├── AwsRefused                    AWS answered, and said no
    │   │   ├── TokenCodeRefused              a wrong or spent MFA code
    │   │   ├── AssumeRoleDenied              AccessDenied on AssumeRole
    │   │   ├── PackedPolicyTooLarge          more policies and tags than a session has room for
    │   │   └── SourceCredentialsInvalid      the keys that asked are expired, revoked or unknown
    │   ├── AwsUnreachable                no answer, or none that AWS would give
    │   │   └── AnswerLost                    a call that may have spent its MFA code
    │   ├── InvalidResponse               a response from AWS with invalid fields
    │   ├── HelperFailed                  credential_process or mfa_process
    │   ├── SourceFailed                  an instance, a container or a CI that gave nothing
    │   ├── SessionTooShort               less time left than was asked for
    │   ├── WrongAccount                  the session is of another account than was expected
    │   ├── OutOfTime                     no session within the time that was set
    │   └── LockTimeout                   another gds-exec holds the lock
    ├── NobodyToAsk                  124  a code is needed, and there is nobody to ask
    ├── OutputFailed                 125  what we print cannot be written
    ├── BrokenInstall                125  a module that is foreign, too old or missing
    ├── SystemRefused                125  no more open files, or no memory
    ├── Upgraded                     126  a process of ours from another version
    ├── InternalError                125  a fault of ours
    ├── CommandNotExecutable         126
    └── CommandNotFound              127

`slug` is stable: scripts and search engines may rely on it.
"""


class GdsExecError(Exception):
    """A failure as a person meets it: what is wrong, and perhaps what to do about it."""

    slug = "failed"
    exit_status = 125

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GdsExecError):
    slug = "usage"
    exit_status = 2


class ConfigError(GdsExecError):
    slug = "config"


class BrokenFile(ConfigError):
    slug = "broken-file"


class UnknownRole(ConfigError):
    slug = "unknown-role"


class BrokenProfile(ConfigError):
    slug = "broken-profile"


class SourceProfileMissing(BrokenProfile):
    slug = "source-profile-missing"


class NoAccessKey(ConfigError):
    slug = "no-access-key"


class CopiedSession(ConfigError):
    slug = "copied-session"


class NotSupportedYet(ConfigError):
    slug = "not-supported-yet"


class CredentialsError(GdsExecError):
    slug = "credentials"


class AwsRefused(CredentialsError):
    """`code` is AWS's own error code, `AccessDenied` for one."""

    slug = "aws-refused"

    def __init__(self, message: str, *, hint: str | None = None, code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class TokenCodeRefused(AwsRefused):
    slug = "mfa-code-refused"


class AssumeRoleDenied(AwsRefused):
    slug = "access-denied"


class PackedPolicyTooLarge(AwsRefused):
    slug = "packed-policy-too-large"


class SourceCredentialsInvalid(AwsRefused):
    slug = "source-credentials-invalid"


class AwsUnreachable(CredentialsError):
    slug = "aws-unreachable"


class AnswerLost(AwsUnreachable):
    slug = "answer-lost"


class InvalidResponse(CredentialsError):
    slug = "invalid-response"


class HelperFailed(CredentialsError):
    slug = "helper-failed"


class SourceFailed(CredentialsError):
    slug = "source-failed"


class SessionTooShort(CredentialsError):
    slug = "session-too-short"


class WrongAccount(CredentialsError):
    slug = "wrong-account"


class OutOfTime(CredentialsError):
    slug = "out-of-time"


class LockTimeout(CredentialsError):
    slug = "lock-timeout"


class NobodyToAsk(GdsExecError):
    slug = "nobody-to-ask"
    exit_status = 124

    def __init__(self, message: str, *, hint: str | None = None, was_asked: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.was_asked = was_asked  # a person was asked and gave no code


class OutputFailed(GdsExecError):
    slug = "output-failed"


class BrokenInstall(GdsExecError):
    slug = "broken-install"


class SystemRefused(GdsExecError):
    slug = "system-refused"


class Upgraded(GdsExecError):
    slug = "upgraded"
    exit_status = 126  # the hooks of role shells know it


class InternalError(GdsExecError):
    slug = "internal-error"


class CommandNotExecutable(GdsExecError):
    slug = "not-executable"
    exit_status = 126


class CommandNotFound(GdsExecError):
    slug = "not-found"
    exit_status = 127
