//! COMMENT ON EXTERNAL CONNECTION.

use portolan_catalog::ConnectionPrivilege;
use portolan_statement as ast;

use crate::call::Call;
use crate::{Error, Outcome, SqlState};

/// The most bytes of a comment.
const MAX_BYTES: usize = 4096;

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::CommentOnConnection,
) -> Result<Outcome, Error> {
    let name = call.name(&statement.name)?;
    let comment = match &statement.comment {
        Some(text) => checked(call.text(text)?.expose())?,
        None => None,
    };
    call.change(move |actor, writer, _| {
        let connection = actor
            .access(&*writer)?
            .require_existing(name.as_str(), ConnectionPrivilege::Update)?;
        writer.set_comment(connection.id, comment.as_deref())?;
        Ok(())
    })
    .await?;
    Ok(Outcome::tag("COMMENT ON EXTERNAL CONNECTION"))
}

/// The comment as it is kept; an empty one is none.
pub(crate) fn checked(text: &str) -> Result<Option<String>, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::new(
            SqlState::InvalidParameterValue,
            format!(
                "the comment has {} bytes; the most is {MAX_BYTES}",
                text.len()
            ),
        )
        .with_hint("keep the long text elsewhere, and say here where"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
