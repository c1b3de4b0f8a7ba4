"""What methods of modules answer: a code, a message, data and lines of a log.

`I2Success(data=data, logs=lines)` makes a status of its own each time, so that nothing of one call shows in another.
`I2Denied` is this runtime's: before a write it refuses the write with its message.
"""

# From here on codes are failures.
FAILURE = 0xFF00


class IIStatus:
    """A status; true where it is no failure."""

    def __init__(self, code=None, message=None, data=None, logs=None):
        self.code = code or 0xFFFF
        self.message = message or ""
        self.data = data
        self.logs = logs if logs is not None else []

    def __call__(self, message=None, data=None, logs=None, code=None):
        """The same status with these."""
        made = type(self)(code or self.code, message or self.message, self.data if data is None else data, logs)
        if logs is None:
            made.logs = list(self.logs)
        return made

    def is_success(self):
        return self.code < FAILURE

    def is_failure(self):
        return not self.is_success()

    def get_code(self):
        return self.code

    def get_message(self):
        return self.message

    def get_data(self):
        return self.data

    def get_logs(self):
        return self.logs

    def set_message(self, message):
        self.message = message

    def set_data(self, data):
        self.data = data

    def set_logs(self, logs):
        self.logs = logs

    def add_log(self, line):
        self.logs.append(line)

    def __bool__(self):
        return self.is_success()

    def __str__(self):
        return self.message

    def __repr__(self):
        return f"IIStatus({self.code:#x}, {self.message!r})"


# The codes, for statuses that modules make themselves: `IIStatus(code=I2CodeNoError)`.
I2CodeNoError = 0x1
I2CodeSuccess = 0x2
I2CodeConfigureSuccess = 0x3
I2CodeInterfaceNotImplemented = I2CodeNotImplemented = 0xFF00
I2CodeUnexpectedResult = 0xFF01
I2CodeFileNotFound = 0xFF02
I2CodeInterfaceNotReady = 0xFF03
I2CodeInterfaceNotInitialized = 0xFF04
I2CodeCriticalError = 0xFF05
I2CodeDenied = 0xFF06
I2CodeError = 0xFFFE
I2CodeUnknownError = 0xFFFF

I2NoError = IIStatus(I2CodeNoError, "No error")
I2Success = IIStatus(I2CodeSuccess, "Success")
I2ConfigureSuccess = IIStatus(I2CodeConfigureSuccess, "Configured")
I2InterfaceNotImplemented = I2NotImplemented = IIStatus(I2CodeInterfaceNotImplemented, "Not implemented")
I2UnexpectedResult = IIStatus(I2CodeUnexpectedResult, "Unexpected result")
I2FileNotFound = IIStatus(I2CodeFileNotFound, "File not found")
I2InterfaceNotReady = IIStatus(I2CodeInterfaceNotReady, "Interface not ready")
I2InterfaceNotInitialized = IIStatus(I2CodeInterfaceNotInitialized, "Interface not initialized")
I2CriticalError = IIStatus(I2CodeCriticalError, "Critical error")
I2Error = IIStatus(I2CodeError, "Error")
I2UnknownError = IIStatus(I2CodeUnknownError, "Unknown error")


class _Denied(IIStatus):
    """A failure that is a decision."""


I2Denied = _Denied(I2CodeDenied, "Denied")


def is_denial(status):
    """Whether a status refuses a write, as against failing to judge it."""
    return isinstance(status, _Denied)


def merge_status(first, second):
    """Both in one: a failure of the second counts, messages are joined, data and logs are kept."""
    if first is None or second is None:
        return first or second
    code = second.code if second.is_failure() else first.code
    data = [first.data, second.data] if first.data else second.data
    message = " - ".join(text for text in (first.message, second.message) if text)
    return IIStatus(code, message, data, [*(first.logs or []), *(second.logs or [])])


merge = merge_status
