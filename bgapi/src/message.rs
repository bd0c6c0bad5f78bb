//! What all messages share, and the macro that makes them from the table.

use core::fmt;

use crate::wire::{Encoded, Value, Wire};

/// Who a message is for and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// From the host to the device.
    Command,
    /// The device's answer to one command.
    Response,
    /// From the device, unasked.
    Event,
}

impl Kind {
    /// The first header byte of a message shorter than 256 bytes.
    pub(crate) const fn first_byte(self) -> u8 {
        match self {
            Self::Command | Self::Response => 0x00,
            Self::Event => 0x80,
        }
    }

    /// The word that begins a printed message: `cmd`, `rsp` or `evt`.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Command => "cmd",
            Self::Response => "rsp",
            Self::Event => "evt",
        }
    }
}

/// A message of the table: a command, a response or an event.
pub trait Message<'a>: Copy + fmt::Debug + fmt::Display {
    /// What it is.
    const KIND: Kind;
    /// Its class, the third header byte.
    const CLASS: u8;
    /// Its number within the class, the fourth header byte.
    const ID: u8;
    /// Its name in the manual with the class in front, such as `gap_scan_response`.
    const NAME: &'static str;
    /// Its fields in order, by name and type.
    const FIELDS: &'static [(&'static str, Wire)];

    /// Reads the message from a payload that has exactly its length.
    fn parse(payload: &'a [u8]) -> Option<Self>;

    /// The message as a frame with its header.
    fn encoded(&self) -> Encoded;

    /// Shows the fields in order.
    fn fields(&self, visit: &mut dyn FnMut(&'static str, Value<'a>));
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: Kind,
    /// Its class.
    pub class: u8,
    /// Its number within the class.
    pub id: u8,
    /// Its name in the manual with the class in front.
    pub name: &'static str,
    /// Its fields in order, by name and type.
    pub fields: &'static [(&'static str, Wire)],
}

impl Definition {
    /// The definition of a message type.
    pub const fn of<'a, M: Message<'a>>() -> Self {
        Self { kind: M::KIND, class: M::CLASS, id: M::ID, name: M::NAME, fields: M::FIELDS }
    }
}

/// The lengths a message's payload can have.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Bytes that are always there, an array's length byte included.
    pub(crate) fixed: usize,
    /// Whether the last of them is the length byte of an array that follows.
    pub(crate) array: bool,
}

impl Shape {
    pub(crate) const fn of(fields: &[(&str, Wire)]) -> Self {
        let mut shape = Self { fixed: 0, array: false };
        let mut next = 0;
        while next < fields.len() {
            assert!(!shape.array, "an array is the last field");
            shape.fixed += fields[next].1.fixed_len();
            shape.array = matches!(fields[next].1, Wire::Uint8Array);
            next += 1;
        }
        assert!(shape.fixed <= crate::wire::MAX_FIXED);
        shape
    }

    /// Whether the payload has exactly the length that its own array length asks for.
    #[inline]
    pub(crate) const fn admits(self, payload: &[u8]) -> bool {
        if self.array {
            payload.len() >= self.fixed && payload[self.fixed - 1] as usize == payload.len() - self.fixed
        } else {
            payload.len() == self.fixed
        }
    }
}

/// Prints a message as one line: prefix, name, then `field=value`.
pub(crate) fn print<'a>(message: &impl Message<'a>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fn head<'a, M: Message<'a>>(_: &M) -> (Kind, &'static str) {
        (M::KIND, M::NAME)
    }
    let (kind, name) = head(message);
    write!(f, "{} {name}", kind.prefix())?;
    let mut result = Ok(());
    message.fields(&mut |name, value| {
        if result.is_ok() {
            result = write!(f, " {name}={value}");
        }
    });
    result
}

/// The manual's name of a field, which may be a Rust keyword.
pub(crate) const fn field_name(ident: &'static str) -> &'static str {
    match ident.as_bytes() {
        [b'r', b'#', ..] => ident.split_at(2).1,
        _ => ident,
    }
}

/// Makes the messages of one class: the structs in the modules `command`, `response` and `event`,
/// and the enums `Command`, `Response` and `Event` of them all.
///
/// A command without `->` is never answered. Types that borrow name their lifetime.
macro_rules! class {
    (
        $class:literal $title:literal
        commands $Command:ident $(<$clt:lifetime>)? -> $Response:ident $(<$rlt:lifetime>)? {$(
            $(#[$cdoc:meta])*
            $cid:literal $cname:literal $Cmd:ident $(<$cl:lifetime>)?
            { $($(#[$cfdoc:meta])* $cf:ident: $ct:ty),* $(,)? }
            $(-> $(<$rl:lifetime>)? { $($(#[$rfdoc:meta])* $rf:ident: $rt:ty),* $(,)? })?;
        )*}
        $(events $Event:ident $(<$elt:lifetime>)? {$(
            $(#[$edoc:meta])*
            $eid:literal $ename:literal $Evt:ident $(<$el:lifetime>)?
            { $($(#[$efdoc:meta])* $ef:ident: $et:ty),* $(,)? };
        )*})?
    ) => {
        #[doc = concat!("Commands of the class `", $title, "`.")]
        pub mod command {
            #[allow(unused_imports, reason = "some classes have only plain numbers as fields")]
            use super::*;

            $($crate::message::message! {
                Command $class $cid $cname [$(#[$cdoc])*] $Cmd [$($cl)?]
                { $($(#[$cfdoc])* $cf: $ct,)* }
            })*
        }

        #[doc = concat!("Responses of the class `", $title, "`.")]
        pub mod response {
            #[allow(unused_imports, reason = "some classes have only plain numbers as fields")]
            use super::*;

            $($($crate::message::message! {
                Response $class $cid $cname
                [#[doc = concat!("Answers [`", stringify!($Cmd), "`](super::command::", stringify!($Cmd), ").")]]
                $Cmd [$($rl)?]
                { $($(#[$rfdoc])* $rf: $rt,)* }
            })?)*
        }

        $crate::message::messages! {
            $title command $Command [$($clt)?] { $($cid $cname $Cmd [$($cl)?];)* }
        }
        $crate::message::messages! {
            $title response $Response [$($rlt)?] {
                $($($cid $cname $Cmd [$($rl)?];)?)*
            }
        }

        $(
            #[doc = concat!("Events of the class `", $title, "`.")]
            pub mod event {
                #[allow(unused_imports, reason = "some classes have only plain numbers as fields")]
                use super::*;

                $($crate::message::message! {
                    Event $class $eid $ename [$(#[$edoc])*] $Evt [$($el)?]
                    { $($(#[$efdoc])* $ef: $et,)* }
                })*
            }

            $crate::message::messages! {
                $title event $Event [$($elt)?] { $($eid $ename $Evt [$($el)?];)* }
            }
        )?
    };
}
pub(crate) use class;

/// Makes the struct of one message.
macro_rules! message {
    (
        $kind:ident $class:literal $id:literal $name:literal [$(#[$doc:meta])*] $Type:ident [$($lt:lifetime)?]
        { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "fields carry the manual's names; those that need more have it in the table")]
        pub struct $Type $(<$lt>)? {
            $($(#[$fdoc])* pub $field: $type,)*
        }

        $crate::message::message! {
            @impl [$($lt)?] $kind $class $id $name $Type { $($field: $type,)* }
        }

        impl $(<$lt>)? core::fmt::Display for $Type $(<$lt>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::message::print(self, f)
            }
        }
    };
    (@impl [] $kind:ident $class:literal $id:literal $name:literal $Type:ident $fields:tt) => {
        $crate::message::message! { @impl 'a [$Type] $kind $class $id $name $fields }
    };
    (@impl [$lt:lifetime] $kind:ident $class:literal $id:literal $name:literal $Type:ident $fields:tt) => {
        $crate::message::message! { @impl $lt [$Type<$lt>] $kind $class $id $name $fields }
    };
    (
        @impl $lt:lifetime [$Type:ty] $kind:ident $class:literal $id:literal $name:literal
        { $($field:ident: $type:ty,)* }
    ) => {
        impl<$lt> $crate::Message<$lt> for $Type {
            const KIND: $crate::Kind = $crate::Kind::$kind;
            const CLASS: u8 = $class;
            const ID: u8 = $id;
            const NAME: &'static str = $name;
            const FIELDS: &'static [(&'static str, $crate::Wire)] = &[$((
                $crate::message::field_name(stringify!($field)),
                <$type as $crate::wire::Field<$lt>>::WIRE,
            )),*];

            #[inline]
            #[allow(unused_assignments, unused_mut, unused_variables, reason = "the offset after the last field")]
            fn parse(payload: &$lt [u8]) -> Option<Self> {
                const { $crate::message::Shape::of(Self::FIELDS) }.admits(payload).then(|| {
                    let mut at = 0;
                    $(
                        let $field = <$type as $crate::wire::Field<$lt>>::take(payload, at);
                        at += <$type as $crate::wire::Field<$lt>>::WIRE.fixed_len();
                    )*
                    Self { $($field),* }
                })
            }

            fn encoded(&self) -> $crate::Encoded {
                #[allow(unused_mut, reason = "some messages have no fields")]
                let mut out = $crate::Encoded::start(Self::KIND, Self::CLASS, Self::ID);
                $($crate::wire::Field::put(self.$field, &mut out);)*
                out
            }

            #[allow(unused_variables, reason = "some messages have no fields")]
            fn fields(&self, visit: &mut dyn FnMut(&'static str, $crate::Value<$lt>)) {
                $(visit(
                    const { $crate::message::field_name(stringify!($field)) },
                    $crate::wire::Field::value(self.$field),
                );)*
            }
        }
    };
}
pub(crate) use message;

/// Makes the enum of all commands, responses or events of one class.
macro_rules! messages {
    (
        $title:literal $module:ident $Enum:ident [$($lt:lifetime)?]
        { $($id:literal $name:literal $Type:ident [$($l:lifetime)?];)* }
    ) => {
        #[doc = concat!("Every ", stringify!($module), " of the class `", $title, "`.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Enum $(<$lt>)? {
            $(#[doc = concat!("`", $name, "`")] $Type($module::$Type $(<$l>)?),)*
        }

        impl $(<$lt>)? $Enum $(<$lt>)? {
            /// The lines of the table, in the order of their ids.
            pub const DEFINITIONS: &'static [$crate::Definition] =
                &[$($crate::Definition::of::<$module::$Type>()),*];

            #[inline]
            pub(crate) fn parse(id: u8, payload: & $($lt)? [u8]) -> Option<Self> {
                match id {
                    $($id => $crate::Message::parse(payload).map(Self::$Type),)*
                    _ => None,
                }
            }

            /// The message's line of the table.
            pub const fn definition(&self) -> $crate::Definition {
                match self {
                    $(Self::$Type(_) => $crate::Definition::of::<$module::$Type>(),)*
                }
            }

            /// The message as a frame with its header.
            pub fn encoded(&self) -> $crate::Encoded {
                match self {
                    $(Self::$Type(message) => $crate::Message::encoded(message),)*
                }
            }

            /// Shows the fields in order.
            pub fn fields(&self, visit: &mut dyn FnMut(&'static str, $crate::Value<'_>)) {
                match self {
                    $(Self::$Type(message) => $crate::Message::fields(message, visit),)*
                }
            }
        }

        impl $(<$lt>)? core::fmt::Display for $Enum $(<$lt>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $(Self::$Type(message) => message.fmt(f),)*
                }
            }
        }
    };
}
pub(crate) use messages;
