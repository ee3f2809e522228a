"""Personal fields: encrypted at rest, found by a keyed hash, shown masked.

Keys come from the settings. Encryption is Fernet (AES-CBC with HMAC) of ``cryptography``; the first key of the list
encrypts, every key decrypts, so that keys can be rotated. The keyed hash is HMAC-SHA256 with its own key.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.fernet import Fernet, MultiFernet


def _fernet_key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"quizapp/field/v1" + secret.encode()).digest())


@dataclass(frozen=True)
class Vault:
    """Encrypts and finds personal fields.

    :param field_keys: at least one secret; the first encrypts, all decrypt
    :param hash_key: secret of the keyed hash; changing it loses every look-up
    """

    field_keys: tuple[str, ...]
    hash_key: str

    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(_fernet_key(key)) for key in self.field_keys])

    def encrypt(self, plain: str) -> bytes:
        return self._fernet().encrypt(plain.encode())

    def decrypt(self, cipher: bytes) -> str:
        return self._fernet().decrypt(bytes(cipher)).decode()

    def encrypt_bytes(self, plain: bytes) -> bytes:
        return self._fernet().encrypt(plain)

    def decrypt_bytes(self, cipher: bytes) -> bytes:
        return self._fernet().decrypt(bytes(cipher))

    def tag(self, purpose: str, value: str) -> bytes:
        """32 bytes that stand for ``value``; the same value under another purpose gives another tag."""
        return hmac.digest(self.hash_key.encode(), f"{purpose}\x1f{value}".encode(), "sha256")


def new_token() -> str:
    """An opaque bearer secret, 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What the database keeps of a token. Plain SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).digest()


def mask_phone(phone: str) -> str:
    """``13800005602`` → ``138****5602``."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 7 else "****"
