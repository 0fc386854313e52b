"""An OPC-UA server for tests that answers by a script: no security, and just the services that a reader needs."""

import itertools
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, struct_to_binary

from tests.doubles.scripted_device import Script, ScriptedDevice, Step, silent

NO_SECURITY = "http://opcfoundation.org/UA/SecurityPolicy#None"
_POLICY = len(NO_SECURITY).to_bytes(4, "little") + NO_SECURITY.encode() + b"\xff" * 8
_HEAD, _SECURED_HEAD = 8, 12  # type and size; and the channel


class OpcUaDevice(ScriptedDevice):
    """``ns=2;i=N`` is `words[N]`, an UInt16; unset is 0. `missing` ones are unknown; `unwell` refuses every read."""

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[int, int] = defaultdict(int)
        self.missing: set[int] = set()
        self.unwell = False
        self._channels = itertools.count(1)
        self._sequences: dict[int, int] = defaultdict(int)

    def question_size(self, received: bytes) -> int:
        return int.from_bytes(received[4:8], "little") if len(received) >= _HEAD else 0

    def answer(self, question: bytes) -> bytes:
        kind = question[:3]
        if kind == b"HEL":
            return _frame(b"ACK", b"".join(number.to_bytes(4, "little") for number in (0, 65535, 65535, 0, 0)))
        if kind == b"CLO":
            return b""
        channel = next(self._channels) if kind == b"OPN" else int.from_bytes(question[8:12], "little")
        security = _POLICY if kind == b"OPN" else question[12:16]
        begin = _SECURED_HEAD + len(security)
        request_id, body = question[begin + 4 : begin + 8], Buffer(question[begin + 8 :])
        sent = security + self._next(channel) + request_id + self._respond(body, channel)
        return _frame(kind, channel.to_bytes(4, "little") + sent)

    def _next(self, channel: int) -> bytes:
        """An answer that is never sent takes no number."""
        if self.script is not silent:
            self._sequences[channel] += 1
        return self._sequences[channel].to_bytes(4, "little")

    def _respond(self, body: Buffer, channel: int) -> bytes:
        kind = nodeid_from_binary(body.copy())
        for request, serve in _SERVICES.items():
            if request().TypeId == kind:
                asked = struct_from_binary(request, body)
                answer = serve(self, asked, channel)
                answer.ResponseHeader.RequestHandle = asked.RequestHeader.RequestHandle
                return struct_to_binary(answer)
        return struct_to_binary(_fault(ua.StatusCodes.BadServiceUnsupported))

    def open_channel(self, _asked: Any, channel: int) -> Any:
        answer = ua.OpenSecureChannelResponse()
        answer.Parameters.SecurityToken = ua.ChannelSecurityToken(ChannelId=channel, TokenId=1, RevisedLifetime=600_000)
        return answer

    def create_session(self, _asked: Any, _channel: int) -> Any:
        answer = ua.CreateSessionResponse()
        answer.Parameters.AuthenticationToken = ua.NodeId(ua.Int32(77))
        answer.Parameters.RevisedSessionTimeout = 60_000
        answer.Parameters.ServerNonce = bytes(32)
        answer.Parameters.ServerEndpoints = [
            ua.EndpointDescription(
                EndpointUrl="opc.tcp://x", SecurityMode=ua.MessageSecurityMode.None_, SecurityPolicyUri=NO_SECURITY
            )
        ]
        return answer

    def activate_session(self, _asked: Any, _channel: int) -> Any:
        return ua.ActivateSessionResponse()

    def close_session(self, _asked: Any, _channel: int) -> Any:
        return ua.CloseSessionResponse()

    def read_values(self, asked: Any, _channel: int) -> Any:
        nodes = [each.NodeId for each in asked.Parameters.NodesToRead]
        if self.unwell and any(node.NamespaceIndex == 2 for node in nodes):
            return _fault(ua.StatusCodes.BadInternalError)
        answer = ua.ReadResponse()
        answer.Results = [self._value(node) for node in nodes]
        return answer

    def _value(self, node: Any) -> ua.DataValue:
        if node.NamespaceIndex != 2 or node.Identifier in self.missing:
            return ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(ua.StatusCodes.BadNodeIdUnknown)))
        return ua.DataValue(ua.Variant(self.words[node.Identifier], ua.VariantType.UInt16))


_SERVICES: dict[Any, Callable[[OpcUaDevice, Any, int], Any]] = {
    ua.OpenSecureChannelRequest: OpcUaDevice.open_channel,
    ua.CreateSessionRequest: OpcUaDevice.create_session,
    ua.ActivateSessionRequest: OpcUaDevice.activate_session,
    ua.CloseSessionRequest: OpcUaDevice.close_session,
    ua.ReadRequest: OpcUaDevice.read_values,
}


def _fault(code: int) -> Any:
    answer = ua.ServiceFault()
    answer.ResponseHeader.ServiceResult = ua.StatusCode(ua.UInt32(code))
    return answer


def _frame(kind: bytes, content: bytes) -> bytes:
    return kind + b"F" + (_HEAD + len(content)).to_bytes(4, "little") + content


def _with(position: int, value: bytes) -> Script:
    def changed(_question: bytes, answer: bytes) -> list[Step]:
        return [answer[:position] + value + answer[position + len(value) :]]

    return changed


def _body(response: Any) -> Script:
    """A sound message with another body."""

    def changed(_question: bytes, answer: bytes) -> list[Step]:
        return [_frame(answer[:3], answer[_HEAD:24] + struct_to_binary(response))]

    return changed


def _results(*words: int) -> Any:
    response = ua.ReadResponse()
    response.Results = [ua.DataValue(ua.Variant(word, ua.VariantType.UInt16)) for word in words]
    return response


IMPOSTORS: dict[str, Script] = {
    "no message of OPC-UA": _with(0, b"XYZ"),
    "a size of 2 GiB": _with(4, b"\xff\xff\xff\x7f"),
    "another channel": _with(8, b"\x63\0\0\0"),
    "another security token": _with(12, b"\x63\0\0\0"),
    "a sequence number of long ago": _with(16, b"\1\0\0\0"),
    "request id of another request": _with(20, b"\xfe\xff\0\0"),
    "the answer to a browse": _body(ua.BrowseResponse()),
    "no value": _body(_results()),
    "a value too many": _body(_results(1, 2)),
}
"""Answers that must never give a value, to a read of one node."""
