//! `tenter entity raw`: datapoints as they came.

use serde_json::Value;

use crate::cli::Context;
use crate::cli::pages::{self, Window};
use crate::client::{part, query};
use crate::output::{Column, cut, drawn, field, members};

use super::show::{WIDEST, value};

/// Which datapoints.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The entity type.
    etype: String,
    /// Only of this entity.
    #[arg(long)]
    eid: Option<String>,
    /// Only of this attribute.
    #[arg(short, long)]
    attr: Option<String>,
    /// Only from this source.
    #[arg(short = 'r', long)]
    src: Option<String>,
    /// How many.
    #[command(flatten)]
    window: Window,
}

/// Lists them, newest first.
///
/// # Errors
/// When there is no server or it refuses.
pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let fetch = |skip: u64, limit: u64| {
        let asked = query(&[
            ("eid", args.eid.clone()),
            ("attr", args.attr.clone()),
            ("src", args.src.clone()),
            ("skip", Some(skip.to_string())),
            ("limit", Some(limit.to_string())),
        ]);
        let answer = client.get(&format!("/entity/{}/raw/get{asked}", part(&args.etype)))?;
        Ok(members(&answer, "data").to_vec())
    };
    let mut rows = context.out.rows();
    let end = pages::read(args.window, fetch, |a, b| a == b, |page| rows.page(page))?;
    let columns: [Column<'_>; 7] = [
        ("eid", &|d| field(d, "id")),
        ("attr", &|d| field(d, "attr")),
        ("value", &|d: &Value| cut(&value(d.get("v")), WIDEST)),
        ("t1", &|d| field(d, "t1")),
        ("t2", &|d| field(d, "t2")),
        ("c", &|d| field(d, "c")),
        ("src", &|d| field(d, "src")),
    ];
    let shown = rows.end(|items| drawn(items, &columns))?;
    pages::tell(end, args.window, shown, context);
    Ok(())
}
