"""The error of a request that the service refuses."""

import grpc


class RequestError(Exception):
    """A request that the service refuses, as a status of gRPC.

    Args:
        code: Status of gRPC.
        message: The cause.
        hint: A command that fixes the problem, if there is one.

    Attributes:
        code: Status of gRPC.
    """

    def __init__(self, code: grpc.StatusCode, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} hint: {hint}" if hint else message)
        self.code = code
