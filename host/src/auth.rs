//! Who a client is and what it may do: the answers to the core's questions. Checking a password is slow by design, so
//! it happens on a few threads of its own; the reactor only hands questions over and takes verdicts back.

mod acl;
mod password;

use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};

use wasmqtt_broker::codec::ReasonCode;
use wasmqtt_broker::{Grant, Question, QuestionId, Verdict};

pub use acl::{Acl, AclError};
pub use password::{PasswordError, PasswordFile};

/// Questions that may wait: with 20 ms for a password the last one waits about 3 s.
const QUESTIONS_MAX: usize = 256;
/// Threads that check passwords; each check takes 19 MiB while it runs.
const THREADS: usize = 2;

/// Decides about clients.
#[derive(Clone, Debug)]
pub struct Gatekeeper {
    /// Who may connect; `None` takes everybody for anonymous.
    pub passwords: Option<PasswordFile>,
    /// Who may do what; `None` allows everything.
    pub acl: Option<Acl>,
    /// Whether clients without a user name may connect.
    pub allow_anonymous: bool,
}

impl Gatekeeper {
    /// The verdict about a client. Slow where there is a password to check.
    #[must_use]
    pub fn decide(&self, question: &Question) -> Verdict {
        match question {
            Question::Connect { authentication: Some(_), .. } | Question::Authenticate { .. } => {
                refuse(ReasonCode::BadAuthenticationMethod)
            }
            Question::Connect { user_name, password, .. } => match (user_name, &self.passwords) {
                (Some(user), Some(passwords)) if passwords.check(user, password.as_deref().unwrap_or_default()) => {
                    self.grant(Some(user))
                }
                (None, _) if self.allow_anonymous || self.passwords.is_none() => self.grant(None),
                (Some(_), None) => self.grant(None),
                // Like mosquitto, which doesn't say whether the name or the password was wrong.
                (Some(_) | None, _) => refuse(ReasonCode::NotAuthorized),
            },
        }
    }

    fn grant(&self, user: Option<&str>) -> Verdict {
        let permissions = self.acl.as_ref().map(|acl| acl.permissions(user));
        Verdict::Allow(Grant { user: user.map(Into::into), permissions, authentication_data: None })
    }
}

fn refuse(reason: ReasonCode) -> Verdict {
    Verdict::Refuse { reason, reason_string: None, server_reference: None }
}

/// Who answers the core's questions; may take its time.
pub type Decide = Box<dyn Fn(&Question) -> Verdict + Send + Sync>;

/// The threads that decide.
pub(crate) struct Deciders {
    questions: SyncSender<(QuestionId, Question)>,
    verdicts: Receiver<(QuestionId, Verdict)>,
}

impl Deciders {
    /// Starts the threads; `wake` is called after each verdict.
    pub fn start(decide: Decide, wake: impl Fn() + Send + Sync + 'static) -> Self {
        let (questions, waiting) = sync_channel(QUESTIONS_MAX);
        let (answer, verdicts) = std::sync::mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let shared = Arc::new((decide, wake));
        for index in 0..THREADS {
            let (waiting, answer, shared) = (waiting.clone(), answer.clone(), shared.clone());
            let work = move || decide_all(&waiting, &answer, &shared.0, &shared.1);
            std::thread::Builder::new().name(format!("auth-{index}")).spawn(work).expect("a thread can be started");
        }
        Deciders { questions, verdicts }
    }

    /// Hands a question over; gives the verdict at once if too many wait already.
    pub fn ask(&self, id: QuestionId, question: Question) -> Option<Verdict> {
        match self.questions.try_send((id, question)) {
            Ok(()) => None,
            Err(TrySendError::Full(_)) => Some(refuse(ReasonCode::ServerBusy)),
            Err(TrySendError::Disconnected(_)) => Some(refuse(ReasonCode::UnspecifiedError)),
        }
    }

    /// A verdict, if one is ready.
    pub fn verdict(&self) -> Option<(QuestionId, Verdict)> {
        self.verdicts.try_recv().ok()
    }
}

/// What each thread does until the reactor is gone.
fn decide_all(
    waiting: &Mutex<Receiver<(QuestionId, Question)>>,
    answer: &Sender<(QuestionId, Verdict)>,
    decide: &Decide,
    wake: &impl Fn(),
) {
    loop {
        // A thread that panicked while it waited left nothing half done.
        let next = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok((id, question)) = next else { return };
        if answer.send((id, decide(&question))).is_err() {
            return;
        }
        wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmqtt_broker::codec::ProtocolVersion;
    use wasmqtt_broker::{ConnectionId, Peer, Transport};

    fn connect(user: Option<&str>, password: Option<&'static str>) -> Question {
        Question::Connect {
            conn: ConnectionId { slot: 0, generation: 0 },
            peer: Peer { listener: 0, address: "test".into(), transport: Transport::Tcp, identity: None },
            version: ProtocolVersion::V5,
            client_identifier: "c".into(),
            user_name: user.map(Into::into),
            password: password.map(|password| password.as_bytes().into()),
            authentication: None,
        }
    }

    fn user_of(verdict: Verdict) -> Result<Option<String>, ReasonCode> {
        match verdict {
            Verdict::Allow(grant) => Ok(grant.user),
            Verdict::Refuse { reason, .. } => Err(reason),
            Verdict::Continue { .. } => unreachable!(),
        }
    }

    #[test]
    fn only_the_right_password_and_only_welcome_strangers() {
        let mut passwords = PasswordFile::empty();
        passwords.set("anna", b"secret").unwrap();
        let mut gatekeeper = Gatekeeper { passwords: Some(passwords), acl: None, allow_anonymous: false };
        let ask = |gatekeeper: &Gatekeeper, user, password| user_of(gatekeeper.decide(&connect(user, password)));
        assert_eq!(ask(&gatekeeper, Some("anna"), Some("secret")), Ok(Some("anna".into())));
        assert_eq!(ask(&gatekeeper, Some("anna"), Some("wrong")), Err(ReasonCode::NotAuthorized));
        assert_eq!(ask(&gatekeeper, Some("anna"), None), Err(ReasonCode::NotAuthorized));
        assert_eq!(ask(&gatekeeper, Some("berta"), Some("secret")), Err(ReasonCode::NotAuthorized));
        assert_eq!(ask(&gatekeeper, None, None), Err(ReasonCode::NotAuthorized));
        gatekeeper.allow_anonymous = true;
        assert_eq!(ask(&gatekeeper, None, None), Ok(None));
        assert_eq!(ask(&gatekeeper, Some("berta"), None), Err(ReasonCode::NotAuthorized));
    }
}
