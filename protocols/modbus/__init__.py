"""Modbus, after the Modbus Application Protocol Specification V1.1b3 and its Messaging on TCP/IP guide V1.0b."""
