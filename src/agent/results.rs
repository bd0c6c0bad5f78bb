//! What became of the last commands, so that one said twice is carried out once.

use std::collections::VecDeque;
use std::sync::Arc;

use super::limits;
use crate::event::CommandError;

/// What a command came to.
pub(super) type Outcome = Result<(), CommandError>;

/// The last [`limits::RESULTS`] commands of one life of the agent, oldest first.
#[derive(Debug, Default)]
pub(super) struct Results {
    commands: VecDeque<(Arc<str>, Option<Outcome>)>,
}

/// Whether a command was said before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Never, as far as is remembered.
    Never,
    /// It is being carried out; its result will come.
    Running,
    /// It came to this.
    Done(Outcome),
}

impl Results {
    /// Notes that a command is being carried out, unless it was said before.
    pub(super) fn begin(&mut self, req: &Arc<str>) -> Said {
        match self.commands.iter().find(|(known, _)| known == req) {
            Some((_, Some(outcome))) => Said::Done(outcome.clone()),
            Some((_, None)) => Said::Running,
            None => {
                if self.commands.len() == limits::RESULTS {
                    self.commands.pop_front();
                }
                self.commands.push_back((Arc::clone(req), None));
                Said::Never
            }
        }
    }

    /// Keeps a result.
    pub(super) fn finish(&mut self, req: &Arc<str>, outcome: &Outcome) {
        if let Some((_, kept)) = self.commands.iter_mut().find(|(known, _)| known == req) {
            *kept = Some(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_new_once() {
        let mut results = Results::default();
        let req: Arc<str> = "a".into();
        assert_eq!(results.begin(&req), Said::Never);
        assert_eq!(results.begin(&req), Said::Running);
        results.finish(&req, &Ok(()));
        assert_eq!(results.begin(&req), Said::Done(Ok(())));
        for n in 0..limits::RESULTS {
            assert_eq!(results.begin(&n.to_string().into()), Said::Never);
        }
        assert_eq!(results.begin(&req), Said::Never, "forgotten after as many others");
    }
}
