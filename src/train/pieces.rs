//! Work stealing: every member owns a range of a phase's work, takes it in pieces, and then takes pieces of its neighbours.

use std::ops::Range;

use super::team::Member;
use super::team::sync::Padded;
use super::team::sync::atomic::{AtomicU64, Ordering};
use crate::kernel::gemm::WIDEST;

/// The most neighbours that a member steals from, so that no member of a large team searches all ranges.
const HELPED: usize = 3;

/// Which pieces of a phase's work are taken. Owners take pieces from the front; helpers steal from the back. Until an owner
/// starts, its last piece is reserved for it. So each member works mostly on the data it used in the last step, and a member
/// whose core is busy with other work delays the others less. No bit depends on which member computes a piece.
pub(super) struct Pieces {
    /// For each member's range: pieces taken from the front in the low half, from the back in the high half.
    taken: Vec<Padded<AtomicU64>>,
}

impl Pieces {
    /// Nothing is taken yet.
    pub(super) fn new(members: usize) -> Pieces {
        Pieces { taken: (0..members).map(|_| Padded(AtomicU64::new(0))).collect() }
    }

    /// Makes all pieces of the member's range available again. All members must pass a barrier between this call and
    /// [`Pieces::each`], and between the last `each` and this call.
    pub(super) fn refill(&self, member: Member<'_>) {
        self.taken[member.index].0.store(0, Ordering::Relaxed);
    }

    /// Calls `work` for every piece that this member gets, first of its own range, then of others'. Every member must pass the
    /// same range `owned` for each owner and the same `cut`. The only member of a team does its range in one piece.
    pub(super) fn each(
        &self,
        member: Member<'_>,
        owned: impl Fn(usize) -> Range<usize>,
        cut: Cut,
        mut work: impl FnMut(Range<usize>),
    ) {
        let members = member.count();
        if members == 1 {
            return work(owned(0));
        }
        for distance in 0..members.min(1 + HELPED) {
            let owner = (member.index + distance) % members;
            let owned = owned(owner);
            let pieces = cut.pieces(owned.len());
            while let Some(number) = self.take(owner, pieces, distance == 0) {
                let piece = cut.piece(owned.len(), number);
                work(owned.start + piece.start..owned.start + piece.end);
            }
        }
    }

    /// Takes a piece, if there is one left, and returns its number.
    fn take(&self, owner: usize, pieces: usize, from_front: bool) -> Option<usize> {
        let free = |taken: u64| {
            let (front, back) = (taken as u32 as usize, (taken >> 32) as usize);
            let kept = usize::from(!from_front && front == 0);
            (front + back + kept < pieces).then(|| if from_front { front } else { pieces - 1 - back })
        };
        let one = if from_front { 1 } else { 1 << 32 };
        let more = |taken| free(taken).map(|_| taken + one);
        // Barriers order the data of the pieces; this only decides who owns them.
        let before = self.taken[owner].0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        free(before)
    }
}

/// The three phases of a step that are shared out in pieces.
pub(super) struct Work {
    /// Panels of outputs of the first layer, if it is shared out by outputs.
    pub(super) outputs: Pieces,
    /// Panels of rows of the batch.
    pub(super) rows: Pieces,
    /// Slots of the parameters.
    pub(super) slots: Pieces,
}

impl Work {
    /// No piece is taken yet.
    pub(super) fn new(members: usize) -> Work {
        Work { outputs: Pieces::new(members), rows: Pieces::new(members), slots: Pieces::new(members) }
    }
}

/// How a member's range is cut into pieces.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut {
    /// Every item by itself.
    Singles,
    /// Repeatedly half of the remaining panels, but at most a tile of the widest kernel. The first pieces are large enough to
    /// repay reading the weights. The last are so small that a member that finishes early still finds one.
    Halves,
}

impl Cut {
    /// The number of pieces of a range of `items`.
    fn pieces(self, items: usize) -> usize {
        match self {
            Cut::Singles => items,
            Cut::Halves => halves(items).count(),
        }
    }

    /// The items of one piece.
    fn piece(self, items: usize, number: usize) -> Range<usize> {
        match self {
            Cut::Singles => number..number + 1,
            Cut::Halves => halves(items).nth(number).expect("there are so many"),
        }
    }
}

/// The pieces of [`Cut::Halves`].
fn halves(panels: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let piece = start..start + (panels - start).div_ceil(2).min(WIDEST);
        start = piece.end;
        (!piece.is_empty()).then_some(piece)
    })
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
            let owned = |owner: usize| 20 * owner..20 * owner + 5 + owner;
            let done: Vec<AtomicUsize> = (0..20 * members).map(|_| AtomicUsize::new(0)).collect();
            let rounds = 50;
            let helped = team.run(|member| {
                let mut helped = 0;
                for round in 0..rounds {
                    member.barrier();
                    if round % members == member.index {
                        std::thread::sleep(std::time::Duration::from_micros(300));
                    }
                    pieces.each(member, owned, Cut::Halves, |items| {
                        helped += usize::from(!owned(member.index).contains(&items.start));
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
                let expected = if owned(item / 20).contains(&item) { rounds } else { 0 };
                assert_eq!(times.load(Ordering::Relaxed), expected, "item {item} of {members} members");
            }
            assert_eq!(helped.iter().sum::<usize>() > 0, members > 1, "{members} members, {helped:?} pieces of others");
        }
    }

    #[test]
    fn pieces_become_smaller_towards_the_end() {
        let sizes = |panels| halves(panels).map(|piece| piece.len()).collect::<Vec<_>>();
        assert_eq!([sizes(0), sizes(1), sizes(2), sizes(8)], [vec![], vec![1], vec![1, 1], vec![3, 3, 1, 1]]);
        assert_eq!(sizes(16), [3, 3, 3, 3, 2, 1, 1]);
    }
}
