"""librdkafka's properties of security as Faust's credentials."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import faust
from faust.types.auth import CredentialsT

from kafka_saga.errors import TopologyError


def credentials(properties: Mapping[str, str]) -> CredentialsT | None:
    """What `security.protocol` and `sasl.*` ask for; none for PLAINTEXT. Raises TopologyError for what is not known."""
    protocol = properties.get("security.protocol", "plaintext").lower()
    context = _context(properties) if protocol.endswith("ssl") else None
    match protocol:
        case "plaintext":
            return None
        case "ssl":
            return faust.SSLCredentials(context=context)
        case "sasl_plaintext" | "sasl_ssl":
            return faust.SASLCredentials(
                username=properties.get("sasl.username", ""),
                password=properties.get("sasl.password", ""),
                mechanism=_mechanism(properties),
                ssl_context=context,
            )
        case other:
            raise TopologyError(f"SAGA_KAFKA_SECURITY_PROTOCOL={other} is unknown to the views: use ssl or sasl_ssl")


def _mechanism(properties: Mapping[str, str]) -> str:
    return properties.get("sasl.mechanism") or properties.get("sasl.mechanisms") or "PLAIN"


def _context(properties: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=properties.get("ssl.ca.location"))
    if certificate := properties.get("ssl.certificate.location"):
        context.load_cert_chain(certificate, properties.get("ssl.key.location"), properties.get("ssl.key.password"))
    return context
