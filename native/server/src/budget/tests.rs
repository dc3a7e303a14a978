use super::*;
use proptest::prelude::*;

fn shares(limit: u64, loops: usize, step_max: u64) -> (Arc<Budget>, Vec<Share>) {
    let budget = Budget::new(limit, loops, step_max);
    let shares = (0..loops).map(|_| Share::new(&budget)).collect();
    (budget, shares)
}

fn taken(budget: &Budget) -> u64 {
    budget.taken.load(Ordering::Relaxed)
}

#[test]
fn a_small_limit_is_exact_for_all_loops_together() {
    let (_, loops) = shares(3, 2, 64);
    for share in [&loops[0], &loops[1], &loops[0]] {
        assert!(share.has_room(1));
        share.add(1);
    }
    assert!(!loops[0].has_room(1));
    assert!(!loops[1].has_room(1));
    assert!(loops[1].remove(1), "somebody waits");
    assert!(loops[0].has_room(1));
}

#[test]
fn what_is_counted_within_a_step_touches_nothing_shared() {
    let (budget, loops) = shares(1 << 30, 2, 1 << 20);
    let before = taken(&budget);
    for _ in 0..1000 {
        loops[0].add(1 << 19);
        loops[0].remove(1 << 19);
    }
    assert_eq!(taken(&budget), before);
}

#[test]
fn a_loop_keeps_a_step_when_another_has_the_rest() {
    let (budget, loops) = shares(1 << 20, 2, 1 << 20);
    while loops[0].has_room(1 << 10) {
        loops[0].add(1 << 10);
    }
    assert!(loops[0].used() > (1 << 20) * 3 / 4);
    assert!(loops[1].has_room(budget.step));
    loops[1].add(budget.step);
    assert!(!loops[1].has_room(1));
}

#[test]
fn what_was_there_already_is_counted_beyond_the_limit_and_nothing_let_in_until_it_is_gone() {
    let (budget, loops) = shares(1000, 1, 64);
    loops[0].add(1500);
    assert_eq!(taken(&budget), 1500);
    assert!(loops[0].over() >= 500);
    assert!(!loops[0].has_room(0));
    assert!(loops[0].remove(400));
    assert!(!loops[0].has_room(0));
    loops[0].remove(1000);
    assert_eq!(loops[0].over(), 0);
    assert!(loops[0].has_room(800));
    assert!(!loops[0].has_room(1000));
}

#[test]
fn a_loop_that_ends_gives_all_back() {
    let (budget, loops) = shares(1 << 20, 4, 1 << 20);
    loops[2].add(5 << 18);
    drop(loops);
    assert_eq!(taken(&budget), 0);
}

proptest! {
    /// What loops let in is never more than the limit, whatever they do in turn; and what they have taken covers what
    /// they use.
    #[test]
    fn never_lets_in_more_than_the_limit(
        limit in 1_u64..5000,
        step in 1_u64..300,
        operations in proptest::collection::vec((0_usize..3, any::<bool>(), 0_u64..400), 0..300),
    ) {
        let (budget, loops) = shares(limit, 3, step);
        let mut held = [const { Vec::new() }; 3];
        for (index, is_add, amount) in operations {
            let share = &loops[index];
            if is_add {
                if share.has_room(amount) {
                    share.add(amount);
                    held[index].push(amount);
                }
            } else if let Some(amount) = held[index].pop() {
                share.remove(amount);
            }
            let used: u64 = held.iter().flatten().sum();
            prop_assert_eq!(used, loops.iter().map(Share::used).sum::<u64>());
            prop_assert!(used <= taken(&budget));
            prop_assert!(taken(&budget) <= limit);
            prop_assert!(loops.iter().all(|share| share.over() == 0));
        }
    }
}
