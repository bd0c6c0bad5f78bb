//! The message table, one file per class, and what is made of all classes together.

use core::fmt;

use crate::message::Shape;
use crate::{Definition, Encoded, Frame, Kind, Unknown, Value};

pub mod attclient;
pub mod attributes;
pub mod connection;
pub mod dfu;
pub mod flash;
pub mod gap;
pub mod hardware;
pub mod sm;
pub mod system;
pub mod test;

macro_rules! all_classes {
    ($(
        $(#[$doc:meta])*
        $Enum:ident { $($class:literal $Class:ident($module:ident $(<$lt:lifetime>)?)),* $(,)? }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Enum<'a> {
            $(#[doc = concat!("One of the class `", stringify!($module), "`.")] $Class($module::$Enum $(<$lt>)?),)*
            /// One that is not in the table, or not with this length.
            Unknown(Unknown<'a>),
        }

        impl<'a> $Enum<'a> {
            /// All lines of the table, class by class.
            pub const DEFINITIONS: &'static [&'static [Definition]] = &[$($module::$Enum::DEFINITIONS),*];

            #[inline]
            pub(crate) fn parse(frame: Frame<'a>) -> Self {
                let (class, id, payload) = (frame.class(), frame.id(), frame.payload());
                match class {
                    $($class => $module::$Enum::parse(id, payload).map(Self::$Class),)*
                    _ => None,
                }
                .unwrap_or(Self::Unknown(Unknown { kind: Kind::$Enum, class, id, payload }))
            }

            /// The message's name in the manual, such as `gap_discover`; `unknown` if it has none.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$Class(message) => message.definition().name,)*
                    Self::Unknown(_) => "unknown",
                }
            }

            /// Shows the fields in order; of an unknown message class, id and payload.
            pub fn fields(&self, visit: &mut dyn FnMut(&'static str, Value<'_>)) {
                match self {
                    $(Self::$Class(message) => message.fields(visit),)*
                    Self::Unknown(message) => {
                        visit("class", Value::Unsigned(message.class.into()));
                        visit("id", Value::Unsigned(message.id.into()));
                        visit("payload", Value::Bytes(message.payload));
                    }
                }
            }

            /// The message as a frame with its header; `None` for an unknown message.
            pub fn encoded(&self) -> Option<Encoded> {
                match self {
                    $(Self::$Class(message) => Some(message.encoded()),)*
                    Self::Unknown(_) => None,
                }
            }
        }

        impl fmt::Display for $Enum<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Class(message) => message.fmt(f),)*
                    Self::Unknown(message) => message.fmt(f),
                }
            }
        }
    )*};
}

all_classes! {
    /// Any command.
    Command {
        0 System(system<'a>),
        1 Flash(flash<'a>),
        2 Attributes(attributes<'a>),
        3 Connection(connection<'a>),
        4 Attclient(attclient<'a>),
        5 Sm(sm<'a>),
        6 Gap(gap<'a>),
        7 Hardware(hardware<'a>),
        8 Test(test<'a>),
        9 Dfu(dfu<'a>),
    }

    /// Any response.
    Response {
        0 System(system<'a>),
        1 Flash(flash<'a>),
        2 Attributes(attributes<'a>),
        3 Connection(connection<'a>),
        4 Attclient(attclient),
        5 Sm(sm),
        6 Gap(gap),
        7 Hardware(hardware<'a>),
        8 Test(test<'a>),
        9 Dfu(dfu),
    }

    /// Any event.
    Event {
        0 System(system<'a>),
        1 Flash(flash<'a>),
        2 Attributes(attributes<'a>),
        3 Connection(connection<'a>),
        4 Attclient(attclient<'a>),
        5 Sm(sm<'a>),
        6 Gap(gap<'a>),
        7 Hardware(hardware),
        9 Dfu(dfu),
    }
}

/// The shapes of all messages of one kind, to be looked up by class and id.
pub(crate) struct Shapes([[Option<Shape>; Self::IDS]; Self::CLASSES]);

impl Shapes {
    const CLASSES: usize = 10;
    const IDS: usize = 32;

    /// The shapes of all messages of this kind.
    #[inline]
    pub(crate) fn of(kind: Kind) -> &'static Self {
        static COMMANDS: Shapes = Shapes::new(Command::DEFINITIONS);
        static RESPONSES: Shapes = Shapes::new(Response::DEFINITIONS);
        static EVENTS: Shapes = Shapes::new(Event::DEFINITIONS);
        match kind {
            Kind::Command => &COMMANDS,
            Kind::Response => &RESPONSES,
            Kind::Event => &EVENTS,
        }
    }

    /// The shape of one message, `None` if there is no such message.
    #[inline]
    pub(crate) fn get(&self, class: u8, id: u8) -> Option<Shape> {
        *self.0.get(usize::from(class))?.get(usize::from(id))?
    }

    const fn new(classes: &[&[Definition]]) -> Self {
        let mut shapes = Self([[None; Self::IDS]; Self::CLASSES]);
        let mut class = 0;
        while class < classes.len() {
            let mut next = 0;
            while next < classes[class].len() {
                let definition = &classes[class][next];
                let place = &mut shapes.0[definition.class as usize][definition.id as usize];
                assert!(place.is_none(), "two messages with one id");
                *place = Some(Shape::of(definition.fields));
                next += 1;
            }
            class += 1;
        }
        shapes
    }
}
