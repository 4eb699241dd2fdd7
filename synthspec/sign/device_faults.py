"""What a device or service answers instead of a signature, in words: what happened and what to do, and no secret."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

_ADVICE: Mapping[str, tuple[str, ...]] = {
    "look at the credentials that its library finds: they must hold, and may read the public key and sign": (
        "NoCredentialsError", "PartialCredentialsError", "UnrecognizedClientException", "InvalidClientTokenId",
        "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "ExpiredTokenException",
        "ExpiredToken", "AccessDeniedException", "MissingAuthenticationToken", "CredentialRetrievalError",
        "TokenRetrievalError", "ProfileNotFound", "Forbidden", "Unauthorized", "PermissionDenied", "Unauthenticated",
        "DefaultCredentialsError", "RefreshError", "ClientAuthenticationError", "CredentialUnavailableError",
    ),
    "it is not ready or cannot be reached: look at its address (AWS_ENDPOINT_URL_KMS, VAULT_ADDR), then run this again": (
        "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError", "ConnectionError",
        "ConnectTimeout", "ReadTimeout", "SSLError", "ProxyError", "ProxyConnectionError", "ServiceRequestError",
        "ServiceUnavailable", "VaultDown", "VaultNotInitialized", "InternalServerError", "BadGateway", "RetryError",
        "InternalFailure", "KMSInternalException", "DependencyTimeoutException", "ThrottlingException", "HttpResponseError",
    ),
    "look at the name in the URI, and at the region, project or mount that it is looked for in": (
        "NotFoundException", "InvalidPath", "NotFound", "ResourceNotFoundError", "InvalidArnException",
    ),
    "enable it, or name another key": ("DisabledException", "KMSInvalidStateException", "FailedPrecondition"),
    "manifests are signed by ECDSA P-256 or Ed25519: make such a key": (
        "UnsupportedAlgorithmError", "InvalidKeyUsageException",
    ),
    "set AWS_DEFAULT_REGION": ("NoRegionError",),
}  # fmt: skip
"""By the name of an error class, or of a code that AWS answers with."""
_TO_DO = {name: advice for advice, names in _ADVICE.items() for name in names}
_SECRET = re.compile(r"TOKEN|SECRET|PASS|PIN|CREDENTIAL|_KEY", re.ASCII)
"""In names of variables whose values nobody is to read."""
_SHORTEST, _LONGEST = 4, 200
_USER = re.compile(r"//[^/@\s]+@")
_HEADER = re.compile(r"header (value|part)", re.IGNORECASE)


def fault_of(error: Exception, uri: str) -> str:
    """What `error`, raised by a driver or a library of the key `uri`, says to whoever named that key."""
    kind = type(error).__name__
    if kind == "UnsupportedLibraryError" or isinstance(error, ImportError):
        extra = "hsm" if uri.startswith("hsm:") else "kms"
        return f"{error}; run: pip install 'synthspec[{extra}]'"
    kind, said = _answered(error) or (kind, str(error))
    if _HEADER.search(said):
        # The library repeats what it was given, and that is a credential.
        return f"the service was not asked: {kind}: a credential has characters that none can have, such as a line end"
    said = _safe(said).rstrip(".")
    told = f"the device or service says: {kind}{f': {said}' if said else ''}"
    advice = _TO_DO.get(kind)
    return f"{told}; {advice}" if advice else told


def _answered(error: Exception) -> tuple[str, str] | None:
    """Code and message of an answer of AWS, without what boto says about its own retries."""
    response = getattr(error, "response", None)
    found = response.get("Error") if isinstance(response, dict) else None
    if not isinstance(found, dict) or not found.get("Code"):
        return None
    return str(found["Code"]), str(found.get("Message", ""))


def _safe(said: str) -> str:
    """`said` without the values of variables that hold secrets, and without users and passwords in addresses."""
    secrets = [value.strip() for name, value in os.environ.items() if _SECRET.search(name)]
    for value in sorted((each for each in secrets if len(each) >= _SHORTEST), key=len, reverse=True):
        said = said.replace(value, "***")
    plain = _USER.sub("//***@", said)
    return plain if len(plain) <= _LONGEST else f"{plain[:_LONGEST]}..."
