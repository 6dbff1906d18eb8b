//! Signs of life: one hash per lane, judged by the server's clock so that no two clocks have to agree.

use std::time::Duration;

use mooring_domain::id::ProcessId;
use redis::{Cmd, cmd};

use crate::Beat;

/// KEYS: beats. ARGV: process, slots, TTL in ms. The hash goes when nobody has beaten for one TTL.
const BEAT: &str = r"local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[3])";

/// KEYS: beats. Drops what no longer counts and adds up the rest.
const CONSUMERS: &str = r"local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local workers, slots = 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local n, till = string.match(all[i + 1], '^(%d+):(%d+)$')
  if n and tonumber(till) > now then
    workers = workers + 1
    slots = slots + n
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return { workers, slots }";

/// The command that notes a beat.
pub(super) fn note(key: &str, beat: &Beat, ttl: Duration) -> Cmd {
    let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
    let mut eval = cmd("EVAL");
    eval.arg(BEAT)
        .arg(1)
        .arg(key)
        .arg(field(beat.process))
        .arg(beat.slots)
        .arg(ttl);
    eval
}

/// The command that adds up the beats that count: workers, slots.
pub(super) fn count(key: &str) -> Cmd {
    let mut eval = cmd("EVAL");
    eval.arg(CONSUMERS).arg(1).arg(key);
    eval
}

/// A process's field in the hash.
pub(super) fn field(process: ProcessId) -> String {
    process.uuid().simple().to_string()
}
