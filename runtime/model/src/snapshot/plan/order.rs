//! Topological order of hooks, and the cycle when there is none.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::{PlanError, Step, destinations};
use crate::snapshot::path::Attribute;

/// Kahn's algorithm over hooks and attributes. Attributes need no place of their own in the order, but as vertices they
/// keep the number of edges at that of declared paths. Numbers below `steps.len()` are hooks, the others attributes; the
/// smallest ready number goes first, and an attribute is ready with its last writer.
pub(super) fn order(steps: &[Step]) -> Result<Vec<usize>, Vec<PlanError>> {
    let mut attributes: HashMap<&Attribute, usize> = HashMap::new();
    let mut names: Vec<&Attribute> = Vec::new();
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (hook, step) in steps.iter().enumerate() {
        let lists = [(destinations(&step.depends_on), true), (destinations(&step.may_change), false)];
        for (list, reads) in lists {
            for attribute in list {
                let vertex = *attributes.entry(attribute).or_insert_with(|| {
                    names.push(attribute);
                    after.push(Vec::new());
                    before.push(Vec::new());
                    after.len() - 1
                });
                let (from, to) = if reads { (vertex, hook) } else { (hook, vertex) };
                after.get_mut(from).into_iter().for_each(|v| v.push(to));
                before.get_mut(to).into_iter().for_each(|v| v.push(from));
            }
        }
    }
    let mut waiting: Vec<usize> = before.iter().map(Vec::len).collect();
    let is_hook = |v: usize| v < steps.len();
    // Attributes first, so that a hook is ready as soon as all it reads is.
    let mut ready: BinaryHeap<Reverse<(bool, usize)>> =
        waiting.iter().enumerate().filter(|(_, n)| **n == 0).map(|(v, _)| Reverse((is_hook(v), v))).collect();
    let mut sorted = Vec::with_capacity(steps.len());
    while let Some(Reverse((_, vertex))) = ready.pop() {
        if is_hook(vertex) {
            sorted.push(vertex);
        }
        for next in after.get(vertex).into_iter().flatten() {
            let Some(left) = waiting.get_mut(*next) else { continue };
            *left -= 1;
            if *left == 0 {
                ready.push(Reverse((is_hook(*next), *next)));
            }
        }
    }
    if sorted.len() < steps.len()
        && let Some(error) = cycle(steps, &names, &before, &waiting)
    {
        return Err(vec![error]);
    }
    Ok(sorted)
}

/// The error of a cycle among vertices that still wait.
fn cycle(steps: &[Step], names: &[&Attribute], before: &[Vec<usize>], waiting: &[usize]) -> Option<PlanError> {
    let is_stuck = |v: &usize| waiting.get(*v).is_some_and(|left| *left > 0);
    let mut at = (0..steps.len()).find(is_stuck)?;
    // Each stuck vertex has a stuck one before it, so that going back comes round.
    let mut trail = vec![at];
    let mut place: HashMap<usize, usize> = HashMap::from([(at, 0)]);
    let mut around = loop {
        at = before.get(at)?.iter().copied().filter(is_stuck).min()?;
        if let Some(first) = place.get(&at) {
            break trail.split_off(*first);
        }
        place.insert(at, trail.len());
        trail.push(at);
    };
    around.reverse();
    let last = around.iter().copied().filter(|v| *v < steps.len()).max()?;
    let turn = around.iter().position(|v| *v == last)?;
    around.rotate_left(turn);
    let member = |pair: &[usize]| {
        let [hook, attribute] = pair else { return None };
        let name = names.get(attribute.checked_sub(steps.len())?)?;
        Some((steps.get(*hook)?.hook.clone(), (*name).clone()))
    };
    let members = around.chunks(2).filter_map(member).collect();
    Some(PlanError::Cycle { hook: steps.get(last)?.hook.clone(), members })
}
