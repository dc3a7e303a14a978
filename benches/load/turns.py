"""Rounds of several servers in turn: A B C A B C …, so that what the machine does else meets all of them."""

import generator
from progress import say

MOST_DISCARDED = 6  # turns discarded for each one wanted, then what is measured is left incomplete


def take(what, kinds, wanted, measure, most_others):
    """Rounds by kind, how many turns were discarded, and a note when there are fewer than `wanted`, else None.

    A turn in which others took more than `most_others` cores (None: whatever they took) goes as a whole: what it
    measured has no say in that.
    """
    turns, discarded, incomplete = [], 0, None
    while len(turns) < wanted and discarded <= MOST_DISCARDED * wanted:
        turn = {kind: measure(kind, len(turns) + 1) for kind in kinds}
        if most_others is not None and max(map(generator.disturbance, turn.values())) > most_others:
            discarded += 1
            say(f"{what}: turn discarded, others took more than {most_others} cores")
        else:
            turns.append(turn)
    if len(turns) < wanted:
        incomplete = (f"{what}: {len(turns)} of {wanted} turns, {discarded} were disturbed; "
                      "wait for a quieter machine")
    return {kind: [turn[kind] for turn in turns] for kind in kinds}, discarded, incomplete
