//! Shared-out work in pieces: every member has a part of its own, and who is done with it helps its neighbours.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::team::{Member, Padded};
use crate::kernel::gemm::WIDEST;

/// Neighbours that a member helps at most: in a large team nobody looks through all parts.
const HELPED: usize = 3;

/// Which pieces of a phase's work are taken. Owners take theirs from the front, helpers from the back but for the last of
/// an owner that has not come yet: so each member meets mostly what it met in the last step, and one whose core has other
/// work too holds up the rest less. Which member does a piece changes no bit of it.
pub(super) struct Pieces {
    /// Of each member's part: pieces taken from the front in the low half, from the back in the high half.
    taken: Vec<Padded<AtomicU64>>,
}

impl Pieces {
    /// Nothing is taken yet.
    pub(super) fn new(members: usize) -> Pieces {
        Pieces { taken: (0..members).map(|_| Padded(AtomicU64::new(0))).collect() }
    }

    /// Makes the member's part whole again. Between this and [`Pieces::each`], and between the last `each` and this, all
    /// members pass a barrier.
    pub(super) fn refill(&self, member: Member<'_>) {
        self.taken[member.index].0.store(0, Ordering::Relaxed);
    }

    /// Calls `work` for every piece that this member gets: of its own part, then of others'. The `part` of an owner is cut
    /// into pieces of `grain(part.len())` items; every member gives the same `part` and `grain`. A team of one has nobody to
    /// help it, and does its part in one piece.
    pub(super) fn each(
        &self,
        member: Member<'_>,
        part: impl Fn(usize) -> Range<usize>,
        grain: impl Fn(usize) -> usize,
        mut work: impl FnMut(Range<usize>),
    ) {
        let members = member.count();
        for distance in 0..members.min(1 + HELPED) {
            let owner = (member.index + distance) % members;
            let part = part(owner);
            let grain = if members == 1 { part.len() } else { grain(part.len()) }.max(1);
            while let Some(piece) = self.take(owner, part.len().div_ceil(grain), distance == 0) {
                let start = part.start + piece * grain;
                work(start..(start + grain).min(part.end));
            }
        }
    }

    /// The number of a piece that nobody has taken.
    fn take(&self, owner: usize, pieces: usize, from_front: bool) -> Option<usize> {
        let free = |taken: u64| {
            let (front, back) = (taken as u32 as usize, (taken >> 32) as usize);
            let kept = usize::from(!from_front && front == 0);
            (front + back + kept < pieces).then(|| if from_front { front } else { pieces - 1 - back })
        };
        let one = if from_front { 1 } else { 1 << 32 };
        let more = |taken| free(taken).map(|_| taken + one);
        // What the pieces are made of is ordered by barriers; this only says whose they are.
        let before = self.taken[owner].0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        free(before)
    }
}

/// The three phases of a step that are shared out in pieces.
pub(super) struct Work {
    /// Outputs of the first layer, in panels, where it is shared out by them.
    pub(super) outputs: Pieces,
    /// Rows of the batch, in panels.
    pub(super) rows: Pieces,
    /// Slots of the parameters.
    pub(super) slots: Pieces,
}

impl Work {
    /// Nothing is done yet.
    pub(super) fn new(members: usize) -> Work {
        Work { outputs: Pieces::new(members), rows: Pieces::new(members), slots: Pieces::new(members) }
    }
}

/// A third of a part: small enough to be worth taking over, large enough to repay reading the weights.
pub(super) fn third(panels: usize) -> usize {
    panels.div_ceil(3)
}

/// A third of a part of sample panels, in whole tiles of the widest kernel where there are several: two tiles at most, whose
/// results stay in the second-level cache beside a block of a wide layer's weights.
pub(super) fn third_in_tiles(panels: usize) -> usize {
    match panels {
        0..=WIDEST => panels,
        4 => 2,
        _ => third(panels).next_multiple_of(WIDEST).min(2 * WIDEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::team::Team;
    use std::sync::atomic::AtomicUsize;

    /// Every item once in each of many rounds, whether members are late or not.
    #[test]
    fn every_piece_is_done_once_however_late_its_owner_is() {
        for members in [1, 2, 3, 6] {
            let (pieces, team) = (Pieces::new(members), Team::new(members));
            let part = |owner: usize| 20 * owner..20 * owner + 5 + owner;
            let done: Vec<AtomicUsize> = (0..20 * members).map(|_| AtomicUsize::new(0)).collect();
            let rounds = 50;
            let helped = team.run(|member| {
                let mut helped = 0;
                for round in 0..rounds {
                    member.barrier();
                    if round % members == member.index {
                        std::thread::sleep(std::time::Duration::from_micros(300));
                    }
                    pieces.each(member, part, third, |items| {
                        helped += usize::from(!part(member.index).contains(&items.start));
                        for item in items {
                            done[item].fetch_add(1, Ordering::Relaxed);
                        }
                    });
                    member.barrier();
                    pieces.refill(member);
                }
                helped
            });
            for (item, times) in done.iter().enumerate() {
                let expected = if part(item / 20).contains(&item) { rounds } else { 0 };
                assert_eq!(times.load(Ordering::Relaxed), expected, "item {item} of {members} members");
            }
            assert_eq!(helped.iter().sum::<usize>() > 0, members > 1, "{members} members, {helped:?} pieces of others");
        }
    }

    #[test]
    fn thirds_are_whole_tiles() {
        assert_eq!([0, 1, 2, 3, 4, 5, 8, 16, 32].map(third_in_tiles), [0, 1, 2, 3, 2, 3, 3, 6, 6]);
    }
}
