//! The schedule, and the loop that follows it.

use std::io;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::thread::set_current_timer_slack;

use crate::connection::Connection;
use crate::options::Options;

/// What is recorded at most; a longer latency counts as this one.
const LONGEST: Duration = Duration::from_secs(60);
/// How long answers may still come when the last request was due.
const DRAIN: Duration = Duration::from_secs(10);
/// How late the kernel may wake us: the default of 50 µs would be in every latency.
const TIMER_SLACK: NonZeroU64 = NonZeroU64::new(1_000).expect("not 0");
const EVENTS: usize = 1024;
const READ_BYTES: usize = 16 * 1024;

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// From the time a request was due to its whole answer, in ns.
    pub(crate) latency: Histogram<u64>,
    /// From the time a request was due to its being sent, in ns: waits for the connection and for us.
    pub(crate) send_delay: Histogram<u64>,
    /// Requests that were due and have no answer.
    pub(crate) missing: usize,
    /// How long was measured.
    pub(crate) measured: Duration,
}

/// Which request is due when.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    start: Instant,
    rate: u32,
    /// Requests of the warm-up: the first ones, not recorded.
    warm_up: usize,
    /// All requests.
    total: usize,
}

impl Schedule {
    fn due_at(&self, number: usize) -> Instant {
        let nanos = number as u128 * 1_000_000_000 / u128::from(self.rate);
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many requests are due.
    fn due(&self, now: Instant) -> usize {
        let elapsed = now.saturating_duration_since(self.start).as_nanos();
        let due = elapsed * u128::from(self.rate) / 1_000_000_000 + 1;
        usize::try_from(due).map_or(self.total, |due| due.min(self.total))
    }
}

/// Opens the connections and follows the schedule to its end.
pub(crate) fn run(options: &Options) -> io::Result<Outcome> {
    set_current_timer_slack(Some(TIMER_SLACK))?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut connections = (0..options.connections)
        .map(|number| Connection::open(options.address, number))
        .collect::<io::Result<Vec<_>>>()?;
    for (number, connection) in connections.iter().enumerate() {
        epoll::add(&epoll, connection, EventData::new_u64(number as u64), EventFlags::IN)?;
    }

    let requests = |time: Duration| (time.as_secs_f64() * f64::from(options.rate)) as usize;
    let schedule = Schedule {
        start: Instant::now(),
        rate: options.rate,
        warm_up: requests(options.warm_up),
        total: requests(options.warm_up + options.measured),
    };
    let mut recorder = Recorder::new(schedule)?;
    let mut events: Vec<Event> = Vec::with_capacity(EVENTS);
    let mut buffer = vec![0; READ_BYTES];
    let end = schedule.due_at(schedule.total) + DRAIN;
    let (mut due, mut answered) = (0, 0);
    while answered < schedule.total {
        let now = Instant::now();
        let due_before = due;
        due = schedule.due(now);
        for number in due_before..due {
            let connection = &mut connections[number % options.connections];
            // A busy connection sends it when its turn has come, below.
            if connection.next == number && connection.is_idle() {
                recorder.sent(number, Instant::now());
                connection.send(&options.request, options.connections)?;
            }
        }
        let until = if due < schedule.total {
            schedule.due_at(due)
        } else {
            end
        };
        if due == schedule.total && now >= end {
            break;
        }
        await_events(&epoll, &mut events, until)?;
        for event in events.drain(..) {
            let number = usize::try_from(event.data.u64()).map_err(io::Error::other)?;
            let connection = &mut connections[number];
            if let Some(number) = connection.receive(&mut buffer, options.response_bytes)? {
                recorder.answered(number, Instant::now());
                answered += 1;
                if connection.next < due {
                    recorder.sent(connection.next, Instant::now());
                    connection.send(&options.request, options.connections)?;
                }
            }
        }
    }
    Ok(Outcome {
        latency: recorder.latency,
        send_delay: recorder.send_delay,
        missing: schedule.total - answered,
        measured: options.measured,
    })
}

/// Waits until something is to be read, or until then.
fn await_events(epoll: &impl std::os::fd::AsFd, events: &mut Vec<Event>, until: Instant) -> io::Result<()> {
    let wait = until.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(wait).map_err(io::Error::other)?;
    match epoll::wait(epoll, spare_capacity(events), Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The two histograms, without the warm-up.
#[derive(Debug)]
struct Recorder {
    schedule: Schedule,
    latency: Histogram<u64>,
    send_delay: Histogram<u64>,
}

impl Recorder {
    fn new(schedule: Schedule) -> io::Result<Self> {
        let histogram = || {
            let longest = u64::try_from(LONGEST.as_nanos()).map_err(io::Error::other)?;
            Histogram::new_with_bounds(1_000, longest, 3).map_err(io::Error::other)
        };
        Ok(Self {
            schedule,
            latency: histogram()?,
            send_delay: histogram()?,
        })
    }

    fn sent(&mut self, number: usize, now: Instant) {
        if number >= self.schedule.warm_up {
            self.send_delay.saturating_record(self.since_due(number, now));
        }
    }

    fn answered(&mut self, number: usize, now: Instant) {
        if number >= self.schedule.warm_up {
            self.latency.saturating_record(self.since_due(number, now));
        }
    }

    fn since_due(&self, number: usize, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.schedule.due_at(number)).as_nanos();
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}
