// What the demo's page says, in English and Korean.
const en = {
  skip: "Skip to the content", other_language: "한국어", other_language_label: "한국어로 보기", dark: "Dark", light: "Light", theme_label: "Switch between light and dark",
  live: "Live", ended: "The demo has ended; this is how it stood", connecting: "Connecting", down: "The collector is down, it comes back by itself",
  title: "Break something. The books still add up.",
  intro: "Real processes run on this machine: PLCs, a Fleet server, a broker and a collector. What you break, the same card mends; all else mends itself.",
  open_page: "Open the collector’s own page",
  no_token: "Looking only: to break something, open the link that the demo has printed.",
  recorded: "recorded", acknowledged: "acknowledged", waiting: "waiting", lost: "lost, named",
  adds_up: "{recorded} = {acknowledged} + {waiting} + {lost}: the books add up", adds_up_not: "{recorded} is not {acknowledged} + {waiting} + {lost}: the books do not add up",
  received: "received", duplicates: "duplicates", received_note: "By a subscriber at the broker; each message counts once.",
  look: "Look", see: "Show me",
  broker: "The broker", pull: "Pull the broker", bring_back: "Bring it back",
  broker_up: "The collector is connected.", broker_away: "It is away.", broker_coming: "The collector is on its way back to it.",
  broker_look: "Waiting grows and nothing is lost; once it is back, all that waited goes out first, in order.",
  plc: "The PLCs", plc_none: "All of them answer; press one to stop it.", plc_some: "Stopped: {names}. Press again to start.",
  plc_look: "That device alone goes offline, with its reason; no value is made up for it.",
  config: "The list of devices", broken: "Send half a document", bad_device: "Send a bad device", good: "Send the good one",
  config_good: "In force: version {version}.", config_error: "Refused, the last good one stays in force:", config_bad: "The bad part alone is refused:", config_waits: "Served; the collector has yet to ask for it.",
  config_look: "Half a document changes nothing at all; a device of an unknown protocol costs that device and no other.",
  damage: "The buffer’s file", do_damage: "Damage the buffer",
  damage_empty: "Too little waits in it: pull the broker first and wait a little.", damage_ready: "{waiting} messages wait in it.", damage_done: "{kib} KiB of garbage written so far.",
  damage_look: "Every third page with messages is overwritten. The file is set aside and what can be read is saved; the rest is counted as lost, and an event names each number.",
  kill: "The collector", do_kill: "kill -9", kill_none: "It runs.", kill_some: "It runs, after {count} kills.", kill_one: "It runs, after one kill.",
  kill_look: "Its page is gone for a second and comes back; it starts where it stopped, and some messages may come twice.",
  hall: "What the collector says of its devices", unknown: "unknown",
  online: "online", degraded: "degraded", offline: "offline", paused: "paused", disabled: "disabled", refused: "refused", faulted: "faulted",
  failed: "It did not work: {reason}",
};

const ko = {
  skip: "본문으로 건너뛰기", other_language: "English", other_language_label: "Show in English", dark: "어둡게", light: "밝게", theme_label: "밝은 화면과 어두운 화면 바꾸기",
  live: "실시간", ended: "데모가 끝났습니다. 마지막 상태입니다", connecting: "연결 중", down: "수집기가 멈췄습니다. 곧 스스로 다시 시작합니다",
  title: "무엇이든 고장 내 보세요. 장부는 그래도 맞습니다.",
  intro: "이 컴퓨터에서 PLC, Fleet 서버, 브로커, 수집기가 실제 프로세스로 돌고 있습니다. 고장 낸 것은 같은 칸에서 되돌릴 수 있고, 나머지는 스스로 회복합니다.",
  open_page: "수집기의 화면 열기",
  no_token: "보기 전용입니다. 고장 내 보려면 데모가 출력한 링크로 여세요.",
  recorded: "기록", acknowledged: "브로커 확인", waiting: "대기", lost: "손실(보고됨)",
  adds_up: "{recorded} = {acknowledged} + {waiting} + {lost}: 장부가 맞습니다", adds_up_not: "{recorded} ≠ {acknowledged} + {waiting} + {lost}: 장부가 맞지 않습니다",
  received: "수신", duplicates: "중복", received_note: "브로커를 구독하며 메시지를 한 번씩만 세는 수신자의 집계입니다.",
  look: "볼 곳", see: "화면에서 보기",
  broker: "브로커", pull: "브로커 끊기", bring_back: "다시 연결",
  broker_up: "수집기가 연결되어 있습니다.", broker_away: "브로커가 멈춰 있습니다.", broker_coming: "수집기가 다시 연결하는 중입니다.",
  broker_look: "대기가 늘어날 뿐 손실은 없습니다. 브로커가 돌아오면 기다리던 것부터 순서대로 나갑니다.",
  plc: "PLC", plc_none: "모두 응답하고 있습니다. 누르면 멈춥니다.", plc_some: "멈춤: {names}. 다시 누르면 켜집니다.",
  plc_look: "그 장비만 이유와 함께 오프라인이 되고, 값을 지어내지 않습니다.",
  config: "장비 목록", broken: "반쪽 문서 보내기", bad_device: "잘못된 장비 보내기", good: "정상 문서 보내기",
  config_good: "적용 중: 버전 {version}.", config_error: "거부됨. 마지막 정상 문서를 계속 씁니다:", config_bad: "잘못된 부분만 거부됨:", config_waits: "서버에 올렸습니다. 수집기가 곧 가져갑니다.",
  config_look: "반쪽 문서는 아무것도 바꾸지 못합니다. 모르는 프로토콜의 장비는 그 장비 하나만 거부됩니다.",
  damage: "버퍼 파일", do_damage: "버퍼 망가뜨리기",
  damage_empty: "대기 중인 것이 적습니다. 먼저 브로커를 끊고 조금 기다리세요.", damage_ready: "메시지 {waiting}건이 들어 있습니다.", damage_done: "지금까지 {kib} KiB를 쓰레기 값으로 덮어썼습니다.",
  damage_look: "메시지가 든 페이지를 셋에 하나씩 덮어씁니다. 그 파일은 따로 두고 읽을 수 있는 것은 살리며, 나머지는 손실로 세어 이벤트가 번호까지 밝힙니다.",
  kill: "수집기", do_kill: "kill -9", kill_none: "돌고 있습니다.", kill_some: "{count}번 죽었다가 다시 돌고 있습니다.", kill_one: "한 번 죽었다가 다시 돌고 있습니다.",
  kill_look: "수집기의 화면이 1초쯤 사라졌다 돌아옵니다. 멈춘 곳에서 이어 가며, 몇 건은 두 번 올 수 있습니다.",
  hall: "수집기가 보는 장비", unknown: "알 수 없음",
  online: "온라인", degraded: "일부 이상", offline: "오프라인", paused: "일시 정지", disabled: "사용 안 함", refused: "거부됨", faulted: "장애",
  failed: "되지 않았습니다: {reason}",
};

const LANGUAGES = { en, ko };

/** "ko" or "en": the browser's, or the one that was chosen. */
export function language() {
  const chosen = localStorage.getItem("language");
  if (chosen in LANGUAGES) return chosen;
  return (navigator.languages ?? [navigator.language]).some((each) => each.startsWith("ko")) ? "ko" : "en";
}

/** Keeps the other language for the next time. */
export function switchLanguage() {
  localStorage.setItem("language", language() === "ko" ? "en" : "ko");
}

/** The words for a key, with `{name}` replaced. */
export function t(key, values = {}) {
  return LANGUAGES[language()][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const number = (value) => new Intl.NumberFormat(language()).format(value);
