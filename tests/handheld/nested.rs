//! What is in a container that is in a container (C13): whatever comes late about the outer one reaches what left
//! the inner one since, in whatever order it comes and however it comes to count. The stories are told by their
//! instants: who was where when, and what of it the server heard first (`histories::script`).

use crate::histories::story;

story!(
    /// The pallet came to the house before the tin was at the store: no misroute, but out of nowhere.
    c13_what_left_a_case_hears_of_the_pallet_the_case_is_still_on,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        house 10 inbound p0
        store 20 inbound t0
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears store 0..1
        hears house 0..1
    "
);

story!(
    /// What is said of the case in the same act is later than what the tin did.
    t8_a_group_waited_for_no_longer_tells_of_a_pallet_what_left_the_case_before_it_tells_of_that,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        house 10 inbound p0 g1:1/3
        house 30 inbound c0 g1:2/3
        store 12 inbound t0
        store 15 inbound c0
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears house 0..2
        hears store 0..2
        released
    "
);

story!(
    t8_a_group_that_is_whole_tells_of_a_pallet_what_left_the_case_before_it_tells_of_that,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        house 10 inbound p0 g1:1/2
        house 30 inbound c0 g1:2/2
        store 12 inbound t0
        store 15 inbound c0
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears house 0..1
        hears store 0..2
        hears house 1..2
    "
);

story!(
    /// It was sold with its pallet before it was put there, and is sold in there.
    c13_what_is_in_another_case_by_now_is_held_against_that,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        house 10 sale p0
        store 20 inbound c1
        store 25 pack c1 t1
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears store 0..1
        hears store 1..2
        hears house 0..1
    "
);

story!(
    /// What happened to the case while it was in there the first time happened to it, too.
    c12_what_came_back_into_its_case_hears_of_the_case_before_that,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        store 10 pack c0 t2
        house 15 inbound t0
        house 17 inbound t1
        house 30 pack c0 t0 t1
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears house 0..1
        hears house 1..2
        hears house 2..3
        hears store 0..1
    "
);

story!(
    /// That the case was put on its pallet once more takes nothing back.
    c12_what_left_a_case_hears_of_the_pallet_though_the_case_was_put_there_again,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        house 15 pack p0 c1
        store 20 inbound t0
        plant 25 pack p0 c0
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears store 0..1
        hears plant 3..4
        hears house 0..1
    "
);

story!(
    /// Who is linked by a leg of the pallet is linked to the case, and not to what was put into that elsewhere.
    c13_a_late_leg_of_a_pallet_reaches_what_was_put_into_its_case_whatever_the_act_says_of_that,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        plant 6 outbound to:shop p0
        plant 40 outbound to:house c0
        house 20 pack c0 t2
        shop 60 inbound c0
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears house 0..1
        hears plant 3..5
        hears shop 0..1
    "
);

story!(
    /// Nothing of the case that left it in that very act, nor of what is in that, is collected with the pallet.
    c7_a_pallet_is_fetched_back_without_the_case_that_left_it_in_the_same_act,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        store 12 inbound c0
        store 20 collect p0
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears store 0..2
    "
);

story!(
    /// Whose goods were its all the recall could cover is in none once they turn out to have left it.
    c7_a_pallet_turns_out_to_have_been_empty_when_it_was_fetched_back,
    "
        plant 1 pack c0 t0 t1
        plant 3 pack p0 c0
        plant 5 outbound to:house p0
        house 20 collect p0
        store 12 inbound c0
        hears plant 0..1 &
        hears plant 1..2 &
        hears plant 2..3 &
        hears house 0..1
        hears store 0..1
    "
);
