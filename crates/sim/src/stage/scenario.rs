//! A scenario: who is there, how the broker is set up, what happens by itself, and for the page what the lesson wants.
//! It is read from JSON once, checked whole, and kept beside its normal text, which is what a permalink carries.

use std::rc::Rc;

use serde_json::Value;
use wasmqtt_broker::{Allowed, Config, Permissions, Rules, Storage};
use wasmqtt_codec::{ProtocolVersion, Qos, TopicFilter, TopicName};

use super::check::Check;
use super::command::Command;
use super::json::{Fault, Fields, Found, NUMBER_MAX, Wrong, bytes_of_hex, insert_in_order, text_of, value_of};
use crate::world::link::Pace;

/// The version of the format.
const FORMAT: u64 = 1;
/// More clients than a person can look at.
const CLIENTS_MAX: usize = 1_000;

/// A scenario.
#[derive(Debug)]
pub struct Scenario {
    /// All luck is drawn from it.
    pub seed: u64,
    /// The broker at the beginning.
    pub broker: Config,
    /// The clients at the beginning.
    pub clients: Vec<ClientSpec>,
    /// What happens by itself, in order of time.
    pub script: Rc<[Cue]>,
    /// What passes the lesson.
    pub goal: Option<Check>,
    /// The normal text.
    json: Value,
}

/// A command that is given by itself.
#[derive(Debug)]
pub struct Cue {
    /// When.
    pub at_us: u64,
    /// Behind how many moments, if several things happen at that time: what a person did comes again where it came.
    pub after: Option<u64>,
    /// What.
    pub command: Rc<Command>,
}

/// What a person did, as an addition to a script.
#[derive(Clone, Copy)]
pub struct Addition<'a> {
    /// How many commands of the script came before.
    pub scripted: usize,
    /// Behind how many moments.
    pub after: u64,
    /// When.
    pub at_us: u64,
    /// What.
    pub command: &'a Command,
}

/// A client as it is described.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientSpec {
    /// What commands call it.
    pub id: String,
    /// What it says in CONNECT, and how it behaves.
    pub connect: ConnectSpec,
    /// Its link.
    pub pace: Pace,
}

/// What a client says in CONNECT, and how its user behaves.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each field is the field of CONNECT of that name, as JSON has it")]
pub struct ConnectSpec {
    pub client_identifier: String,
    pub version: ProtocolVersion,
    pub clean_start: bool,
    pub keep_alive_s: u16,
    pub session_expiry_s: u32,
    pub receive_maximum: u16,
    pub maximum_packet_size: Option<u32>,
    pub topic_alias_maximum: u16,
    pub request_response_information: Option<bool>,
    pub request_problem_information: Option<bool>,
    pub user: Vec<(String, String)>,
    pub user_name: Option<String>,
    pub password: Option<String>,
    pub will: Option<Rc<WillSpec>>,
    /// How long it waits before it comes back by itself; `None` = it does not.
    pub reconnect_s: Option<u32>,
    /// Whether its user acknowledges by hand.
    pub manual_ack: bool,
}

/// A Will Message.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each field is the field of the Will of that name")]
pub struct WillSpec {
    pub message: MessageSpec,
    pub delay_s: u32,
}

/// An Application Message with all that 5.0 can say of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each field is the field of PUBLISH of that name")]
pub struct MessageSpec {
    pub topic: String,
    pub payload: Vec<u8>,
    pub qos: Qos,
    pub retain: bool,
    pub expiry_s: Option<u32>,
    pub content_type: Option<String>,
    pub response_topic: Option<String>,
    pub correlation: Option<String>,
    pub payload_is_text: Option<bool>,
    pub user: Vec<(String, String)>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, Box<Wrong>> {
        Self::read(value_of(text)?)
    }

    /// Reads a scenario.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(json: Value) -> Result<Self, Box<Wrong>> {
        let mut fields = Found::whole(&json).fields()?;
        fields.must("v")?.number(FORMAT, FORMAT)?;
        let seed = fields.number("seed", 0, NUMBER_MAX)?.unwrap_or(0);
        let mut broker = Config { trace: true, sys_interval_s: 0, storage: Storage::Log, ..Config::default() };
        if let Some(found) = fields.may("broker") {
            read_broker(&found, &mut broker, true)?;
        }
        let mut clients: Vec<ClientSpec> = Vec::new();
        if let Some(found) = fields.may("clients") {
            if found.list()?.len() > CLIENTS_MAX {
                return Err(found.wrong(Fault::Not("this".into(), format!("a list of at most {CLIENTS_MAX} clients"))));
            }
            for found in found.list()? {
                let client = ClientSpec::read(&found)?;
                if clients.iter().any(|other| other.id == client.id) {
                    return Err(found.wrong(Fault::Twice(client.id)));
                }
                clients.push(client);
            }
        }
        let mut script = Vec::new();
        for found in fields.may("script").map_or(Ok(Vec::new()), |found| found.list())? {
            let cue = match &found.list()?[..] {
                [at_us, command] => Cue::read(at_us, command, None)?,
                [at_us, command, after] => Cue::read(at_us, command, Some(after.number(0, NUMBER_MAX)?))?,
                _ => return Err(found.not("a list of a time and a command, and perhaps a number of moments")),
            };
            insert_in_order(&mut script, cue, |cue: &Cue| cue.at_us);
        }
        let goal = fields.may("goal").map(|found| Check::read(&found)).transpose()?;
        fields.number("begin", 0, NUMBER_MAX)?;
        for found in fields.may("lock").map_or(Ok(Vec::new()), |found| found.list())? {
            found.text()?;
        }
        fields.may("view").map(|found| found.one_of(&[("map", ()), ("ladder", ()), ("split", ())])).transpose()?;
        fields.may("lang").map(|found| found.one_of(&[("ko", ()), ("en", ())])).transpose()?;
        fields.end()?;
        Ok(Scenario { seed, broker, clients, script: script.into(), goal, json })
    }

    /// The scenario as one line of JSON with its keys in order, and in its script what a person did.
    #[must_use]
    pub fn to_json(&self, added: &[Addition<'_>]) -> String {
        let mut json = self.json.clone();
        if let (Some(fields), false) = (json.as_object_mut(), added.is_empty()) {
            let item = |at_us: u64, command: &Command, after: Option<u64>| {
                let mut item = vec![at_us.into(), (*command.json).clone()];
                item.extend(after.map(Value::from));
                Value::Array(item)
            };
            let mut list: Vec<Value> = Vec::new();
            let mut added = added.iter().peekable();
            for (n, cue) in self.script.iter().enumerate() {
                while let Some(it) = added.next_if(|it| it.scripted <= n) {
                    list.push(item(it.at_us, it.command, Some(it.after)));
                }
                list.push(item(cue.at_us, &cue.command, cue.after));
            }
            list.extend(added.map(|it| item(it.at_us, it.command, Some(it.after))));
            fields.insert("script".into(), Value::Array(list));
        }
        text_of(&json)
    }
}

impl Cue {
    fn read(at_us: &Found<'_>, command: &Found<'_>, after: Option<u64>) -> Result<Self, Box<Wrong>> {
        Ok(Cue { at_us: at_us.number(0, NUMBER_MAX)?, after, command: Rc::new(Command::read(command)?) })
    }
}

impl ClientSpec {
    /// Reads a client.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let id = fields.must("id")?;
        let name = id.text()?.to_owned();
        if name.is_empty() || name == "broker" {
            return Err(id.not("the id of a client: a text, not empty and not \"broker\""));
        }
        if let Some(found) = fields.may("name")
            && found.value.as_str().is_none()
        {
            let mut names = found.fields()?;
            names.must("ko")?.text()?;
            names.must("en")?.text()?;
            names.end()?;
        }
        let icons = [("sensor", ()), ("phone", ()), ("server", ()), ("dashboard", ())];
        fields.may("icon").map(|found| found.one_of(&icons)).transpose()?;
        let mut pace = Pace { latency_us: 200_000, ..Pace::default() };
        if let Some(found) = fields.may("link") {
            let mut fields = found.fields()?;
            pace = read_pace(&mut fields, pace)?;
            fields.end()?;
        }
        let mut connect = ConnectSpec::of(&name);
        connect.change(&mut fields)?;
        fields.end()?;
        Ok(ClientSpec { id: name, connect, pace })
    }
}

/// Reads what is said of a link.
///
/// # Errors
/// What is wrong, and where.
pub fn read_pace(fields: &mut Fields<'_>, mut pace: Pace) -> Result<Pace, Box<Wrong>> {
    const MINUTE_MS: u64 = 60_000;
    pace.latency_us = fields.number("latency_ms", 0, MINUTE_MS)?.map_or(pace.latency_us, |ms| ms * 1_000);
    pace.jitter_us = fields.number("jitter_ms", 0, MINUTE_MS)?.map_or(pace.jitter_us, |ms| ms * 1_000);
    pace.bytes_per_s = fields.number("bytes_per_s", 0, u64::from(u32::MAX))?.unwrap_or(pace.bytes_per_s);
    Ok(pace)
}

impl ConnectSpec {
    /// What a client says of which nothing is said.
    #[must_use]
    pub fn of(id: &str) -> Self {
        ConnectSpec {
            client_identifier: id.into(),
            version: ProtocolVersion::V5,
            clean_start: true,
            keep_alive_s: 60,
            session_expiry_s: 0,
            receive_maximum: u16::MAX,
            maximum_packet_size: None,
            topic_alias_maximum: 0,
            request_response_information: None,
            request_problem_information: None,
            user: Vec::new(),
            user_name: None,
            password: None,
            will: None,
            reconnect_s: None,
            manual_ack: false,
        }
    }

    /// Takes what the fields say of it; `null` takes back what may be absent.
    ///
    /// # Errors
    /// What is wrong, and where. Some fields may have been taken by then.
    pub fn change(&mut self, fields: &mut Fields<'_>) -> Result<(), Box<Wrong>> {
        const SHORT: u64 = 65_535;
        const LONG: u64 = u32::MAX as u64;
        let set = |value: &mut u16, number: Option<u64>| *value = number.map_or(*value, |number| number as u16);
        if let Some(identifier) = fields.text("client_identifier")? {
            self.client_identifier = identifier;
        }
        if let Some(found) = fields.may("version") {
            let versions =
                [("3.1", ProtocolVersion::V3_1), ("3.1.1", ProtocolVersion::V3_1_1), ("5.0", ProtocolVersion::V5)];
            self.version = found.one_of(&versions)?;
        }
        self.clean_start = fields.flag("clean_start")?.unwrap_or(self.clean_start);
        set(&mut self.keep_alive_s, fields.number("keep_alive_s", 0, SHORT)?);
        set(&mut self.receive_maximum, fields.number("receive_maximum", 1, SHORT)?);
        set(&mut self.topic_alias_maximum, fields.number("topic_alias_maximum", 0, SHORT)?);
        let expiry = fields.number("session_expiry_s", 0, LONG)?;
        self.session_expiry_s = expiry.map_or(self.session_expiry_s, |s| s as u32);
        let size = fields.number("maximum_packet_size", 1, LONG)?.map(|size| size as u32);
        self.maximum_packet_size = or_old(fields, "maximum_packet_size", size, self.maximum_packet_size.take());
        for (name, wanted) in [
            ("request_response_information", &mut self.request_response_information),
            ("request_problem_information", &mut self.request_problem_information),
        ] {
            let found = fields.flag(name)?;
            *wanted = or_old(fields, name, found, *wanted);
        }
        if let Some(found) = fields.may("user") {
            self.user = read_user(&found)?;
        }
        for (name, text) in [("user_name", &mut self.user_name), ("password", &mut self.password)] {
            let found = fields.text(name)?;
            *text = or_old(fields, name, found, text.take());
        }
        let will = fields.may("will").map(|found| WillSpec::read(&found).map(Rc::new)).transpose()?;
        self.will = or_old(fields, "will", will, self.will.take());
        let reconnect = fields.number("reconnect_s", 0, 86_400)?.map(|s| s as u32);
        self.reconnect_s = or_old(fields, "reconnect_s", reconnect, self.reconnect_s.take());
        if let Some(found) = fields.may("ack") {
            self.manual_ack = found.one_of(&[("auto", false), ("manual", true)])?;
        }
        Ok(())
    }

    /// The same, from what a command kept.
    pub fn change_by(&mut self, json: &Value) {
        let changed = Found::whole(json).fields().and_then(|mut fields| self.change(&mut fields));
        assert!(changed.is_ok(), "the command was checked when it was read");
    }
}

/// What is said of something that may be absent: a new value, `null` for none, or nothing.
fn or_old<T>(fields: &Fields<'_>, name: &str, new: Option<T>, old: Option<T>) -> Option<T> {
    if fields.is_null(name) { None } else { new.or(old) }
}

impl WillSpec {
    fn read(found: &Found<'_>) -> Result<Self, Box<Wrong>> {
        let mut fields = found.fields()?;
        let message = MessageSpec::read(&mut fields)?;
        let delay_s = fields.number("delay_s", 0, u64::from(u32::MAX))?.unwrap_or(0) as u32;
        fields.end()?;
        Ok(WillSpec { message, delay_s })
    }
}

impl MessageSpec {
    /// Reads what a message is made of.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn read(fields: &mut Fields<'_>) -> Result<Self, Box<Wrong>> {
        let topic = read_topic(&fields.must("topic")?)?;
        let text = fields.text("payload")?;
        let payload = match fields.may("payload_hex") {
            Some(found) => bytes_of_hex(found.text()?).ok_or_else(|| found.not("pairs of hexadecimal digits"))?,
            None => text.unwrap_or_default().into_bytes(),
        };
        let qos = fields.may("qos").map_or(Ok(Qos::AtMostOnce), |found| read_qos(&found))?;
        Ok(MessageSpec {
            topic,
            payload,
            qos,
            retain: fields.flag("retain")?.unwrap_or(false),
            expiry_s: fields.number("expiry_s", 0, u64::from(u32::MAX))?.map(|s| s as u32),
            content_type: fields.text("content_type")?,
            response_topic: fields.may("response_topic").map(|found| read_topic(&found)).transpose()?,
            correlation: fields.text("correlation")?,
            payload_is_text: fields.flag("payload_is_text")?,
            user: fields.may("user").map_or(Ok(Vec::new()), |found| read_user(&found))?,
        })
    }
}

/// # Errors
/// It is no Topic Name.
pub fn read_topic(found: &Found<'_>) -> Result<String, Box<Wrong>> {
    let text = found.text()?;
    let statement = |rule: wasmqtt_codec::Rule| rule.statement(ProtocolVersion::V5);
    match TopicName::parse(text) {
        Ok(_) => Ok(text.into()),
        Err(rule) => Err(found.wrong(Fault::Topic(text.into(), rule.text(), statement(rule)))),
    }
}

/// # Errors
/// It is no Topic Filter.
pub fn read_filter(found: &Found<'_>) -> Result<String, Box<Wrong>> {
    let text = found.text()?;
    let parsed = TopicFilter::parse(text).and_then(|filter| filter.share());
    match parsed {
        Ok(_) => Ok(text.into()),
        Err(rule) => Err(found.wrong(Fault::Topic(text.into(), rule.text(), rule.statement(ProtocolVersion::V5)))),
    }
}

/// # Errors
/// It is no QoS.
pub fn read_qos(found: &Found<'_>) -> Result<Qos, Box<Wrong>> {
    let bits = found.value.as_u64().and_then(|bits| u8::try_from(bits).ok());
    bits.and_then(Qos::from_bits).ok_or_else(|| found.not("0, 1 or 2"))
}

fn read_user(found: &Found<'_>) -> Result<Vec<(String, String)>, Box<Wrong>> {
    let pair = |found: Found<'_>| {
        let [key, value] = found.pair()?;
        Ok((key.text()?.to_owned(), value.text()?.to_owned()))
    };
    found.list()?.into_iter().map(pair).collect()
}

/// Reads what is said of the broker; `whole` at the beginning, when also what can't change later may be said.
///
/// # Errors
/// What is wrong, and where. Some fields may have been taken by then.
pub fn read_broker(found: &Found<'_>, config: &mut Config, whole: bool) -> Result<(), Box<Wrong>> {
    const SYS_INTERVAL_S: u32 = 10;
    let mut fields = found.fields()?;
    if whole {
        if let Some(stores) = fields.flag("storage")? {
            config.storage = if stores { Storage::Log } else { Storage::Memory };
        }
        if let Some(sys) = fields.flag("sys")? {
            config.sys_interval_s = if sys { SYS_INTERVAL_S } else { 0 };
        }
    }
    let limits = &mut config.limits;
    let set = |limit: &mut u32, number: Option<u64>| *limit = number.map_or(*limit, |number| number as u32);
    let set_short = |limit: &mut u16, number: Option<u64>| *limit = number.map_or(*limit, |number| number as u16);
    set_short(&mut limits.receive_maximum, fields.number("receive_maximum", 1, 65_535)?);
    set_short(&mut limits.in_flight_max, fields.number("in_flight_max", 1, 65_535)?);
    set_short(&mut limits.keep_alive_max_s, fields.number("keep_alive_max_s", 0, 65_535)?);
    set_short(&mut limits.topic_alias_maximum, fields.number("topic_alias_maximum", 0, 65_535)?);
    set(&mut limits.queue_messages_max, fields.number("queue_messages_max", 0, u64::from(u32::MAX))?);
    set(&mut limits.session_expiry_max_s, fields.number("session_expiry_max_s", 0, u64::from(u32::MAX))?);
    set(&mut limits.packet_bytes_max, fields.number("packet_bytes_max", 64, 1 << 24)?);
    if let Some(found) = fields.may("maximum_qos") {
        limits.maximum_qos = read_qos(&found)?;
    }
    for (name, available) in [
        ("retain_available", &mut limits.retain_available),
        ("wildcard_subscription_available", &mut limits.wildcard_subscription_available),
        ("shared_subscription_available", &mut limits.shared_subscription_available),
    ] {
        *available = fields.flag(name)?.unwrap_or(*available);
    }
    if let Some(found) = fields.may("permissions") {
        config.permissions = read_permissions(&found)?;
    }
    config.limits = core::mem::take(&mut config.limits).within_reason();
    fields.end()
}

fn read_permissions(found: &Found<'_>) -> Result<Permissions, Box<Wrong>> {
    let mut permissions = Permissions::everything();
    let mut fields = found.fields()?;
    let all = [
        ("publish", &mut permissions.publish),
        ("subscribe", &mut permissions.subscribe),
        ("receive", &mut permissions.receive),
    ];
    for (name, rules) in all {
        if let Some(found) = fields.may(name) {
            *rules = read_rules(&found)?;
        }
    }
    fields.end()?;
    Ok(permissions)
}

fn read_rules(found: &Found<'_>) -> Result<Rules, Box<Wrong>> {
    let mut fields = found.fields()?;
    let filters = |found: Found<'_>| found.list()?.iter().map(read_filter).collect::<Result<Vec<_>, _>>();
    let allow = fields.may("allow").map(filters).transpose()?.map_or(Allowed::Everything, Allowed::Filters);
    let deny = fields.may("deny").map_or(Ok(Vec::new()), filters)?;
    fields.end()?;
    Ok(Rules { allow, deny })
}
