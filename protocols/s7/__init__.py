"""Siemens S7 as CPUs speak it on TCP port 102: S7 communication (PUT/GET) over ISO on TCP (RFC 1006, COTP class 0)."""
