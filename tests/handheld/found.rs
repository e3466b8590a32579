//! Stories that drawn histories found (`histories`), each made as short as it failed: units that were missed, or
//! looked at too soon.

use crate::histories::story;

story!(
    /// Whose goods they are is on no record, and never need be.
    c9_a_recall_that_is_widened_to_goods_of_nobody_on_record_finds_what_was_sold_of_them,
    "
        line 11 sale x0
        hears line 0..1
        recalls L8
        widens 0 x0
        mistaken 0
    "
);

story!(
    /// A case that was left is looked at for a tin in it, which is of two batches: that it is on a pallet by now
    /// tells who comes for it.
    c13_what_is_only_looked_at_keeps_what_is_kept_of_it_until_somebody_comes_for_it,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        line 8 outbound to:late p0
        plant 40 commission t0 batch:L8
        narrow 2 &
        hears line 0..1
        hears plant 0..1
        hears plant 1..3
    "
);

story!(
    /// The tin had left its case before it was known that the case was destroyed with it; what it did since is its
    /// own all the same.
    c8_what_came_back_into_a_case_that_was_destroyed_is_judged_by_itself_when_that_is_taken_back,
    "
        plant 1 pack c0 t0 t1
        house 14 destroy c0
        house 20 retract house#0
        line 16 inbound t1
        hears line 0..1
        hears plant 0..1
        hears house 0..1
        hears house 1..2
    "
);

story!(
    /// A case stands for itself in a recall, and not for what is in it: that was fetched back under none.
    c7_a_case_is_fetched_back_under_a_recall_that_names_it_and_not_what_is_in_it,
    "
        plant 12 pack c0 t0 t1
        house 23 collect c0
        hears plant 0..1
        recalls c0
        hears house 0..1
        mistaken 0
        recalls c0
    "
);

story!(
    /// It has no room where its retract enters, and enters once more: with all lines of its place, though it names
    /// one.
    c10_a_complete_count_of_a_correction_that_is_void_misses_nothing_any_more,
    "
        house 7 count L8*1 accepted by:boss
        house 17 return L7*3
        house 27 retract house#0 g3:1/2!
        house 27 count ?*8 complete g3:2/2!
        narrow 2 &
        hears house 3..4
        released
        hears house 0..3
    "
);
