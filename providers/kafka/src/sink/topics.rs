//! Topics, their partitions, and which of them a message is for.

use murmur2::{KAFKA_SEED, murmur2};

use super::batch::{Batch, Waiting};
use crate::wire::Found;

/// So many messages without a key go to one partition before the next one has its turn.
const TURN: usize = 500;

/// Everything that waits, by topic and partition.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    pub(crate) all: Vec<Topic>,
}

/// One topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: Vec<Partition>,
    /// Messages without a key so far.
    keyless: usize,
}

/// One partition. At most one batch of it is under way, so that its order holds.
#[derive(Debug, Default)]
pub(crate) struct Partition {
    /// Below zero where there is none.
    pub(crate) leader: i32,
    pub(crate) waiting: Waiting,
    /// A batch that was not acknowledged, and goes before everything that waits.
    pub(crate) again: Option<Batch>,
    pub(crate) is_under_way: bool,
}

impl Topics {
    /// The place of a topic that is known.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|topic| topic.name == name)
    }

    /// Every name.
    pub(crate) fn names(&self) -> Vec<String> {
        self.all.iter().map(|topic| topic.name.clone()).collect()
    }

    /// What is newly known of a topic. Partitions never become fewer.
    pub(crate) fn learn(&mut self, name: &str, found: &Found) {
        let place = self.place(name).unwrap_or_else(|| {
            self.all.push(Topic {
                name: name.to_owned(),
                partitions: Vec::new(),
                keyless: 0,
            });
            self.all.len() - 1
        });
        let partitions = &mut self.all[place].partitions;
        partitions.resize_with(
            partitions.len().max(found.leaders.len()),
            Partition::default,
        );
        for (partition, leader) in partitions.iter_mut().zip(&found.leaders) {
            partition.leader = *leader;
        }
    }

    /// Whether anything waits for a leader that there is none of.
    pub(crate) fn lacks_a_leader(&self) -> bool {
        let mut partitions = self.all.iter().flat_map(|topic| &topic.partitions);
        partitions.any(|partition| partition.leader < 0 && partition.has_work())
    }
}

impl Topic {
    /// The partition of a message: of one with a key that which Kafka's own clients choose, so that
    /// a key stays where it is.
    pub(crate) fn partition(&mut self, key: Option<&[u8]>) -> Option<&mut Partition> {
        let count = self.partitions.len();
        let place = match key {
            Some(key) => (murmur2(key, KAFKA_SEED) & 0x7fff_ffff) as usize,
            None => {
                self.keyless = self.keyless.wrapping_add(1);
                self.keyless / TURN
            }
        };
        self.partitions.get_mut(place.checked_rem(count)?)
    }
}

impl Partition {
    /// Whether something is to be sent and may be.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_under_way && self.has_work()
    }

    fn has_work(&self) -> bool {
        self.again.is_some() || !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(partitions: usize) -> Topics {
        let mut topics = Topics::default();
        let found = Found {
            leaders: (0..).take(partitions).collect(),
            ..Found::default()
        };
        topics.learn("t", &found);
        topics
    }

    /// The values are those of Kafka's own test of its hash (`UtilsTest.testMurmur2`).
    #[test]
    fn keys_are_hashed_as_kafka_does() {
        for (key, hash) in [
            (&b"21"[..], -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key, KAFKA_SEED).cast_signed(), hash, "{key:?}");
        }
    }

    #[test]
    fn a_key_stays_where_it_is_and_what_has_none_goes_around() {
        let mut topics = topics(7);
        let topic = &mut topics.all[0];
        let of = |topic: &mut Topic, key: Option<&[u8]>| {
            topic.partition(key).map(|partition| partition.leader)
        };
        assert_eq!(of(topic, Some(b"foobar")), of(topic, Some(b"foobar")));
        let hash = (-790_332_482_i32).cast_unsigned() & 0x7fff_ffff;
        assert_eq!(of(topic, Some(b"foobar")), i32::try_from(hash % 7).ok());
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..7 * TURN {
            seen.insert(of(topic, None));
        }
        assert_eq!(seen.len(), 7);
        let mut empty = Topics::default();
        empty.learn("t", &Found::default());
        assert!(empty.all[0].partition(None).is_none());
    }

    #[test]
    fn a_new_leader_is_learned_and_no_partition_forgotten() {
        let mut topics = topics(3);
        let found = Found {
            leaders: vec![-1, 9],
            ..Found::default()
        };
        topics.learn("t", &found);
        let leaders: Vec<_> = topics.all[0]
            .partitions
            .iter()
            .map(|it| it.leader)
            .collect();
        assert_eq!(leaders, [-1, 9, 2]);
        assert!(!topics.lacks_a_leader());
        assert_eq!(topics.place("t"), Some(0));
        assert_eq!(topics.place("u"), None);
    }
}
