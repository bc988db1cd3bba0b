//! What is generated for rows that are members of families, and for those that are not.

use a64_isa_gen::{generate, generate_play};

/// A table whose rows use all that a family can say.
const FAMILIES: &str = "// t
family shift(op, lane)
  where q || x != 3
  = shift::<2>(Op::$op, shape($lane, q), x)
  = done($lane)
  if x == 0 \"$mnemonic zero\"
  \"$mnemonic {x}\"
shl_vec  0 q x:30 : shift(Shl, lane(x, [1, 2]))
shr_vec  1 q x:30 : shift(Shr, Lane::B)
  where x != 7
  if x == 1 \"shr one\"
";

fn tables(text: &str) -> Vec<(String, String)> {
    vec![("good.isa".to_owned(), text.to_owned())]
}

#[test]
fn members_of_families_are_calls() {
    let play = generate_play(&tables(FAMILIES)).unwrap_or_else(|error| panic!("{error}"));
    for line in [
        "/* isa/good.isa:8 shl_vec */ player.shift::<2>(Op::Shl, shape(lane(x, [1, 2]), q), x);",
        "/* isa/good.isa:8 shl_vec */ player.done(lane(x, [1, 2]));",
        "/* isa/good.isa:9 shr_vec */ player.shift::<2>(Op::Shr, shape(Lane::B, q), x);",
    ] {
        assert!(play.lines().any(|found| found == line), "{line}\n{play}");
    }
    let shift = play.find("player.shift::<2>(Op::Shl").expect("as above");
    assert!(
        play.find("player.done(lane(").expect("as above") > shift,
        "in their order"
    );
}

#[test]
fn rows_of_families_read_as_if_the_lines_stood_there() {
    let spelt_out = "// t
shl_vec  0 q x:30
  = shift::<2>(Op::Shl, shape(lane(x, [1, 2]), q), x)
  = done(lane(x, [1, 2]))
  where q || x != 3
  if x == 0 \"shl zero\"
  \"shl {x}\"
shr_vec  1 q x:30
  = shift::<2>(Op::Shr, shape(Lane::B, q), x)
  = done(Lane::B)
  where x != 7
  where q || x != 3
  if x == 1 \"shr one\"
  if x == 0 \"shr zero\"
  \"shr {x}\"
";
    let without_lines = |text: &str| {
        let code = generate(&tables(text)).unwrap_or_else(|error| panic!("{error}"));
        let lines = code.lines().map(|line| match line.find(", line: ") {
            Some(place) => line[..place].to_owned(),
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(without_lines(FAMILIES), without_lines(spelt_out));
    // A text of its own without a condition takes the place of the family's.
    let own = FAMILIES.replace("if x == 1 \"shr one\"", "\"own\"");
    let code = generate(&tables(&own)).unwrap_or_else(|error| panic!("{error}"));
    assert!(code.contains("out.push_str(\"own\");") && !code.contains("shr zero"));
}

#[test]
fn only_rows_without_a_call_have_a_method() {
    let mixed = format!("{FAMILIES}own  x:32\n  within shl_vec shr_vec\n  \"own\"\n");
    let mixed = mixed
        .replace("own  x:32", "own  00 x:30")
        .replace("within shl_vec shr_vec", "within shl_vec");
    let code = generate(&tables(&mixed)).unwrap_or_else(|error| panic!("{error}"));
    assert!(code.contains("fn own(&mut self, i: good::Own);"));
    assert!(code.contains("pub mod good {") && code.contains("pub const OWN: u16 = 2;"));
    assert!(!code.contains("shl_vec(&mut self") && !code.contains("struct ShlVec"));
    let play = generate_play(&tables(&mixed)).unwrap_or_else(|error| panic!("{error}"));
    assert!(play.contains(
        "2 => /* isa/good.isa:12 own */ a64_isa::Good::own(player, a64_isa::good::Own::from_word(word)),"
    ));
    // No row of its own: no trait.
    let code = generate(&tables(FAMILIES)).unwrap_or_else(|error| panic!("{error}"));
    assert!(!code.contains("pub trait") && !code.contains("pub mod good"));
}
