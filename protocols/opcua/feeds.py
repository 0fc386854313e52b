"""Subscriptions: what servers tell by themselves, kept until a cycle asks for it."""

import asyncio
import contextlib
import math
import weakref
from collections.abc import Sequence
from datetime import datetime
from weakref import WeakKeyDictionary

from asyncua import ua

from protocols.base import Cycle, Value
from protocols.errors import BadAnswer, RequestRefused, SessionError, SessionLost
from protocols.opcua import statuses
from protocols.opcua.limits import Limits
from protocols.opcua.nodes import UNKNOWN_NAMESPACE, node_id
from protocols.opcua.points import OpcUaPoint, Watch
from protocols.opcua.requests import MAX_READ, OpcUaRequest
from protocols.opcua.values import newest, read_answer, status_name, words_for
from protocols.opcua.wire import Refusal, Undecodable, Wire
from protocols.quality import Quality

KEEP_ALIVE_MS = 1000
SILENT_KEEP_ALIVES = 3
LIFETIME_MS = 60_000
RETRY_REFUSED_S = 300.0


class Feed:
    """One subscription: the last that the server said of each node of a request, by position in it."""

    def __init__(self, request: OpcUaRequest, created: ua.CreateSubscriptionResult, now: float) -> None:
        self.id = int(created.SubscriptionId)
        self.told: list[tuple[Value | None, Quality | None] | None] = [None] * len(request.points)
        self.words: dict[int, str] = {}
        self.newest: datetime | None = None
        self.unwatched = list(range(len(request.points)))
        self.refused: list[int] = []
        self.retry_at = math.inf
        self.complete = asyncio.Event()
        self.heard_at = now
        granted_ms = float(created.RevisedPublishingInterval) * max(1, int(created.RevisedMaxKeepAliveCount))
        keep_alive_ms = max(KEEP_ALIVE_MS, granted_ms)
        self.silence_s = SILENT_KEEP_ALIVES * keep_alive_ms / 1000
        self.waited = False
        self._request = weakref.ref(request)

    @property
    def forgotten(self) -> bool:
        """Whether nobody holds its request any more."""
        return self._request() is None

    def hear(self, message: ua.NotificationMessage, now: float) -> ua.StatusCode | None:
        """Take what a publish brought, be it nothing. The status, when it is that the subscription ended."""
        self.heard_at = now
        request = self._request()
        if request is None:
            return None
        for data in message.NotificationData or ():
            if isinstance(data, ua.DataChangeNotification):
                self._note(data.MonitoredItems or (), request.points)
            elif isinstance(data, ua.StatusChangeNotification) and statuses.is_bad(data.Status.value):
                ended: ua.StatusCode = data.Status
                return ended
        return None

    def refuse(self, position: int, quality: Quality | None, words: str) -> None:
        """Keep this as the last word on a node: it can not be watched."""
        self.told[position] = None, quality
        self.words[position] = words

    def hand_out(self, tags: Sequence[int], cycle: Cycle) -> None:
        """The last word on each node; none yet is `NO_VALUE`."""
        for tag, told in zip(tags, self.told, strict=True):
            value, quality = told or (None, Quality.NO_VALUE)
            cycle.values[tag] = value
            if quality is not None:
                cycle.bad[tag] = quality
        for position, words in self.words.items():
            cycle.words[tags[position]] = words

    def check_complete(self) -> None:
        """Let go whoever waits for a first word on every node, if there is one."""
        if not self.complete.is_set() and None not in self.told:
            self.complete.set()

    def _note(self, items: Sequence[ua.MonitoredItemNotification], points: Sequence[OpcUaPoint]) -> None:
        for item in items:
            position = item.ClientHandle
            if position >= len(points):
                continue
            self.told[position] = told = read_answer(item.Value, points[position])
            if told[1] is not None:
                self.words[position] = words_for(item.Value)
            elif position in self.words:
                del self.words[position]
        self.newest = newest((item.Value for item in items), self.newest)
        self.check_complete()


class Feeds:
    """The subscriptions of one session; each lives as long as its request is in use.

    While the server lets hear of a subscription within three times its keep-alive, it vouches that what it said
    last still holds; when it does not, the session ends.
    """

    def __init__(self, wire: Wire, limits: Limits, where: str) -> None:
        self._wire = wire
        self._limits = limits
        self._most = limits.monitor
        self._where = where
        self._loop = asyncio.get_running_loop()
        self._of_request: WeakKeyDictionary[OpcUaRequest, Feed] = WeakKeyDictionary()
        self._by_id: dict[int, Feed] = {}
        self._listening: asyncio.Task[None] | None = None

    async def read(self, request: OpcUaRequest, cycle: Cycle) -> None:
        """Write the last word on each node into `cycle`; the first time, wait a little for one on each."""
        feed = self._of_request.get(request)
        if feed is None:
            await self._drop_forgotten()
            feed = await self._open(request)
        self._check_alive(feed)
        if feed.refused and self._loop.time() >= feed.retry_at:
            feed.unwatched, feed.refused = feed.refused, []
        if feed.unwatched:
            await self._watch(feed, request)
        if not feed.waited:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(feed.complete.wait(), request.timeout_s / 2)
            feed.waited = True
        if self._wire.over:
            raise self._wire.over
        feed.hand_out(request.tags, cycle)

    def newest(self) -> datetime | None:
        """The newest source timestamp that was told."""
        return max((feed.newest for feed in self._by_id.values() if feed.newest is not None), default=None)

    def stop(self) -> None:
        """Listen no more."""
        if self._listening:
            self._listening.cancel()

    def _check_alive(self, feed: Feed) -> None:
        silence_s = self._loop.time() - feed.heard_at
        if silence_s > feed.silence_s:
            raise self._end(
                f"nothing for {silence_s:.1f} s, where a keep-alive is due every "
                f"{feed.silence_s / SILENT_KEEP_ALIVES:g} s"
            )

    def _end(self, why: str) -> SessionError:
        self._wire.condemn(SessionLost(f"{self._where}: a subscription was lost: {why}"))
        return self._wire.over or SessionLost(why)

    async def _open(self, request: OpcUaRequest) -> Feed:
        question = ua.CreateSubscriptionRequest()
        interval_ms = request.publishing_interval_ms
        keep_alives = max(1, round(KEEP_ALIVE_MS / interval_ms))
        question.Parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=ua.Double(interval_ms),
            RequestedMaxKeepAliveCount=ua.UInt32(keep_alives),
            RequestedLifetimeCount=ua.UInt32(max(3 * keep_alives, math.ceil(LIFETIME_MS / interval_ms))),
            MaxNotificationsPerPublish=ua.UInt32(MAX_READ),
            PublishingEnabled=True,
            Priority=ua.Byte(0),
        )
        answer = await self._wire.ask(question, ua.CreateSubscriptionResponse, "a subscription")
        feed = Feed(request, answer.Parameters, self._loop.time())
        self._of_request[request] = self._by_id[feed.id] = feed
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        return feed

    async def _watch(self, feed: Feed, request: OpcUaRequest) -> None:
        while feed.unwatched:
            some, rest = feed.unwatched[: self._most], feed.unwatched[self._most :]
            nodes = {at: node_id(request.points[at].node, self._limits.namespaces) for at in some}
            known = [at for at, node in nodes.items() if node is not None]
            for at in nodes.keys() - known:
                feed.refuse(at, Quality.BAD_ADDRESS, UNKNOWN_NAMESPACE)
            try:
                results = await self._monitor(feed, [_item(at, nodes[at], request) for at in known])
            except Refusal as refusal:
                if not statuses.asks_for_less(refusal.status) or len(some) == 1:
                    raise
                self._most = len(some) // 2
                continue
            plain = [at for at, status in zip(known, results, strict=True) if statuses.refuses_filter(status)]
            retried = await self._monitor(feed, [_item(at, nodes[at], request, deadband=False) for at in plain])
            status_of = dict(zip(known, results, strict=True)) | dict(zip(plain, retried, strict=True))
            for at, status in status_of.items():
                if statuses.is_bad(status):
                    feed.refuse(at, statuses.quality_of(status), status_name(status))
                    feed.refused.append(at)
                    feed.retry_at = self._loop.time() + RETRY_REFUSED_S
            feed.unwatched = rest
        feed.check_complete()

    async def _monitor(self, feed: Feed, items: list[ua.MonitoredItemCreateRequest]) -> list[int]:
        if not items:
            return []
        question = ua.CreateMonitoredItemsRequest()
        question.Parameters = ua.CreateMonitoredItemsParameters(
            SubscriptionId=ua.IntegerId(feed.id), TimestampsToReturn=ua.TimestampsToReturn.Source, ItemsToCreate=items
        )
        answer = await self._wire.ask(question, ua.CreateMonitoredItemsResponse, "a subscription's nodes")
        if len(answer.Results) != len(items):
            self._wire.end(BadAnswer(f"{self._where} answered for {len(answer.Results)} of {len(items)} nodes"))
            raise self._wire.over or BadAnswer(self._where)
        return [result.StatusCode.value for result in answer.Results]

    async def _listen(self) -> None:
        """Ask to be told, take what comes, ask again, as long as anything is watched."""
        heard: list[ua.SubscriptionAcknowledgement] = []
        while self._by_id:
            question = ua.PublishRequest()
            question.Parameters.SubscriptionAcknowledgements = heard
            heard = []
            try:
                answer = await self._wire.ask(question, ua.PublishResponse, "its subscriptions")
            except Refusal as refusal:
                if refusal.status == statuses.TIMEOUT:
                    continue
                if self._by_id or refusal.status != statuses.NO_SUBSCRIPTION:
                    self._end(str(refusal))
                return
            except Undecodable as error:
                self._wire.condemn(BadAnswer(str(error)))
                return
            except SessionError:
                return
            heard = await self._take(answer.Parameters)

    async def _take(self, told: ua.PublishResult) -> list[ua.SubscriptionAcknowledgement]:
        feed = self._by_id.get(told.SubscriptionId)
        if feed is None:
            await self._delete([told.SubscriptionId])
            return []
        message = told.NotificationMessage
        ended = feed.hear(message, self._loop.time())
        if ended is not None:
            self._end(ended.name)
        if not message.NotificationData:
            return []
        return [
            ua.SubscriptionAcknowledgement(SubscriptionId=told.SubscriptionId, SequenceNumber=message.SequenceNumber)
        ]

    async def _drop_forgotten(self) -> None:
        gone = [number for number, feed in self._by_id.items() if feed.forgotten]
        for number in gone:
            del self._by_id[number]
        if gone:
            await self._delete(gone)

    async def _delete(self, numbers: list[int]) -> None:
        question = ua.DeleteSubscriptionsRequest()
        question.Parameters.SubscriptionIds = [ua.IntegerId(number) for number in numbers]
        with contextlib.suppress(RequestRefused, Undecodable):  # it is gone already, or ends with the session
            await self._wire.ask(question, ua.DeleteSubscriptionsResponse, "an end of subscriptions")


def _item(
    position: int, node: ua.NodeId | None, request: OpcUaRequest, *, deadband: bool = True
) -> ua.MonitoredItemCreateRequest:
    watch = request.points[position].watch or Watch(request.publishing_interval_ms)
    item = ua.MonitoredItemCreateRequest()
    item.ItemToMonitor = ua.ReadValueId(NodeId=node, AttributeId=ua.IntegerId(ua.AttributeIds.Value))
    item.MonitoringMode = ua.MonitoringMode.Reporting
    item.RequestedParameters = ua.MonitoringParameters(
        ClientHandle=ua.IntegerId(position),
        SamplingInterval=ua.Double(watch.sampling_ms),
        QueueSize=ua.UInt32(math.ceil(request.publishing_interval_ms / watch.sampling_ms) + 1),
        DiscardOldest=True,
        Filter=_filter(watch.deadband) if deadband else None,
    )
    return item


def _filter(deadband: float | None) -> ua.DataChangeFilter | None:
    if deadband is None:
        return None
    return ua.DataChangeFilter(
        Trigger=ua.DataChangeTrigger.StatusValue,
        DeadbandType=ua.UInt32(ua.DeadbandType.Absolute),
        DeadbandValue=ua.Double(deadband),
    )
