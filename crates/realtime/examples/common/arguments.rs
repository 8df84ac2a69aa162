//! Numbers on the command line.

use lexopt::{Parser, ValueExt};

/// The value of the option `name`: a whole number from `least` to `most`.
pub(crate) fn number(
    name: &str,
    parser: &mut Parser,
    least: u32,
    most: u32,
) -> Result<u32, lexopt::Error> {
    let value = parser.value()?;
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => {
            Err(format!("{name} {value:?}: expected a whole number from {least} to {most}").into())
        }
    }
}
