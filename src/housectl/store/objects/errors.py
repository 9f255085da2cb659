"""Errors of object stores: each cause of a failed request, with a hint."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from housectl.errors import ObjectStoreError
from housectl.store.address import Provider, RemoteAddress

# A HEAD request has no code.
_MISSING_OBJECT_CODES = frozenset({"NoSuchKey", "NoSuchVersion", "BlobNotFound", None})
# Another conflict than that with an existing object.
_FOLDER_CODES = frozenset({"ExistingObjectIsDirectory"})

_CODE = re.compile(r"<Code>(\w+)</Code>")
_REQUEST = re.compile(r"^.*?Error performing [A-Z]+ \S+ in \S+?(, after .*?)? +- ")
_USER = re.compile(r"//[^/@\s]*@")
_MAX_DETAIL = 300


@dataclass(frozen=True, kw_only=True)
class _Cause:
    """A cause of failed requests.

    Attributes:
        codes: Codes by which the provider names the cause.
        pattern: Pattern in the text of the client's error.
        problem: End of the message.
        hints: Commands by provider, with the placeholders {bucket} and {store}.
    """

    codes: frozenset[str] = frozenset()
    pattern: str
    problem: str
    hints: Mapping[Provider, str]


_LOGIN = {
    Provider.S3: "aws sts get-caller-identity   # checks the credentials in the environment",
    Provider.GCS: "gcloud auth application-default login",
    Provider.AZURE: "az login   # then export AZURE_USE_AZURE_CLI=true",
}

_CAUSES = (
    _Cause(
        pattern=r"169\.254\.169\.254|metadata\.google\.internal|Missing ?(Account|\w*AccessKey)",
        problem="there are no credentials",
        hints={
            Provider.S3: "aws configure   # or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            Provider.GCS: "gcloud auth application-default login",
            Provider.AZURE: "env | grep -o '^AZURE_STORAGE[A-Z_]*'   # needs an account and a key",
        },
    ),
    _Cause(
        codes=frozenset({"NoSuchBucket", "ContainerNotFound"}),
        pattern=r"NoSuchBucket|ContainerNotFound",
        problem="the bucket does not exist",
        hints={
            Provider.S3: "aws s3 mb s3://{bucket}",
            Provider.GCS: "gcloud storage buckets create gs://{bucket}",
            Provider.AZURE: "az storage container create --name {bucket}",
        },
    ),
    _Cause(
        codes=frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}),
        pattern=r"invalid_grant|token.{0,20}expired",
        problem="the credentials have expired",
        hints={**_LOGIN, Provider.S3: "aws sso login   # or export new credentials"},
    ),
    _Cause(
        codes=frozenset({"RequestTimeTooSkewed", "RequestExpired"}),
        pattern=r"RequestTimeTooSkewed",
        problem="the clock of this machine is wrong",
        hints=dict.fromkeys(Provider, "date -u   # then correct the clock"),
    ),
    _Cause(
        codes=frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocation"}),
        pattern=r"status code: 301",
        problem="the bucket is in another region",
        hints=dict.fromkeys(
            Provider, "aws s3api get-bucket-location --bucket {bucket}   # for AWS_REGION"
        ),
    ),
    _Cause(
        codes=frozenset(
            {
                *("InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound"),
                *("InvalidToken", "AuthenticationFailed", "InvalidAuthenticationInfo"),
            }
        ),
        pattern=r"status code: 401",
        problem="the credentials are invalid",
        hints=_LOGIN,
    ),
    _Cause(
        codes=frozenset({"AccessDenied", "AllAccessDisabled", "AuthorizationPermissionMismatch"}),
        pattern=r"status code: 403",
        problem="access is denied, but housectl lists, reads and writes objects",
        hints=_LOGIN,
    ),
    _Cause(
        codes=_FOLDER_CODES,
        pattern=r"ExistingObjectIsDirectory",
        problem="a folder has the name of an object",
        hints=dict.fromkeys(Provider, "housectl store check {store}   # lists stray files"),
    ),
    _Cause(
        pattern=r"UnknownIssuer|InvalidCertificate|certificate verify failed",
        problem="the certificate of the endpoint is not trusted",
        hints=dict.fromkeys(Provider, "export SSL_CERT_FILE=ca.pem   # the CA of the endpoint"),
    ),
    _Cause(
        pattern=r"kind: Connect\b",
        problem="the endpoint is unreachable",
        hints=dict.fromkeys(Provider, "env | grep -E 'ENDPOINT|PROXY'   # shows the endpoint"),
    ),
    _Cause(
        pattern=r"invalid path",
        problem="it has an object whose key is invalid",
        hints={
            Provider.S3: "aws s3 ls --recursive s3://{bucket}   # then delete the object",
            Provider.GCS: "gcloud storage ls --recursive gs://{bucket}   # then delete the object",
            Provider.AZURE: "az storage blob list --container-name {bucket}   # then delete it",
        },
    ),
    _Cause(
        pattern=r"kind: Timeout\b|TimedOut|TimeoutError",
        problem="the endpoint does not respond in time",
        hints=dict.fromkeys(Provider, "housectl doctor   # checks the store"),
    ),
    _Cause(
        pattern=r"status code: 5\d\d|kind: (Request|Interrupted|Decode)\b",
        problem="the endpoint is unavailable",
        hints=dict.fromkeys(Provider, "housectl doctor   # checks the store"),
    ),
)
_OTHER = _Cause(
    pattern="",
    problem="a request failed",
    hints=dict.fromkeys(Provider, "housectl doctor   # checks the store"),
)


@contextmanager
def translate_object_errors(address: RemoteAddress) -> Iterator[None]:
    """Translate the errors of the client, which have several bases and long texts.

    Raises:
        FileNotFoundError: The object is missing.
        FileExistsError: The object exists, or another conditional request was in progress.
        ObjectStoreError: The request failed; the message has the cause.
    """
    from obstore.exceptions import AlreadyExistsError, BaseError

    try:
        yield
    except AlreadyExistsError as error:
        if _code(str(error)) in _FOLDER_CODES:
            raise object_store_error(address, str(error)) from error
        raise FileExistsError(_detail(str(error))) from error
    except FileNotFoundError as error:
        if _code(str(error)) in _MISSING_OBJECT_CODES:
            raise FileNotFoundError("the object is missing") from error
        raise object_store_error(address, str(error)) from error
    except (BaseError, OSError, ValueError, NotImplementedError) as error:
        raise object_store_error(address, str(error) or type(error).__name__) from error
    except BaseException as error:
        # A panic of the client is no Exception, so it would end a server's poller.
        if type(error).__name__ != "PanicException":
            raise
        raise object_store_error(address, str(error)) from error


def object_store_error(address: RemoteAddress, text: str) -> ObjectStoreError:
    """Return the error for the text of a client's error."""
    code = _code(text)
    by_code = (cause for cause in _CAUSES if code in cause.codes)
    by_text = (cause for cause in _CAUSES if re.search(cause.pattern, text))
    cause = next(by_code, None) or next(by_text, _OTHER)
    return ObjectStoreError(
        f"The store {address} is unavailable: {cause.problem} ({_detail(text)}).",
        hint=cause.hints[address.provider].format(bucket=address.bucket, store=address),
    )


def _code(text: str) -> str | None:
    match = _CODE.search(text)
    return match[1] if match else None


def _detail(text: str) -> str:
    """Return the provider's code, or the first line of a client's error without its URL."""
    line = _code(text) or _USER.sub("//", _REQUEST.sub("", text.partition("\n")[0]))
    return "".join(filter(str.isprintable, line)).strip(" .:")[:_MAX_DETAIL]
