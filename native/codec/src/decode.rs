//! The codecs that turn bytes into a result which Java reads: which there are.

use hinny_core::results::{
    CODEC_COOKIES, CODEC_JSON, CODEC_MULTIPART, CODEC_PARAMS, PARAMS_MOST, PARAMS_SETTING_MOST, PARAMS_TOO_MANY,
};

use crate::cookies::Values;
use crate::json::Settings;
use crate::malformed::Malformed;
use crate::{cookies, json, multipart, params};

/// A codec, by the id that Java calls it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// A `Cookie` header.
    Cookies,
    /// A JSON text.
    Json,
    /// Pieces of a `multipart/form-data` body.
    Multipart,
    /// A query string or an urlencoded form.
    Params,
}

impl Codec {
    /// Returns the codec with this id, one of `CODEC_…`.
    #[must_use]
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            CODEC_COOKIES => Some(Self::Cookies),
            CODEC_JSON => Some(Self::Json),
            CODEC_MULTIPART => Some(Self::Multipart),
            CODEC_PARAMS => Some(Self::Params),
            _ => None,
        }
    }

    /// The settings where nobody asks for others.
    #[must_use]
    pub const fn default_settings(self) -> u64 {
        match self {
            Self::Json => json::DEPTH_DEFAULT as u64,
            Self::Cookies | Self::Multipart | Self::Params => 0,
        }
    }

    /// What is wrong with an input, in words for whoever sent it.
    #[must_use]
    pub const fn reason_text(self, reason: u8) -> &'static str {
        match self {
            Self::Json => json::reason_text(reason),
            Self::Cookies | Self::Params if reason == PARAMS_TOO_MANY => "it has more parameters than there may be",
            Self::Cookies | Self::Multipart | Self::Params => "it does not decode",
        }
    }

    /// Appends the result for `input` to `output`. What the bits of `settings` mean is the codec's own matter.
    ///
    /// # Errors
    /// The input is not what the codec reads. What was appended to `output` then means nothing.
    pub fn decode(self, input: &[u8], settings: u64, output: &mut Vec<u8>) -> Result<(), Malformed> {
        match self {
            Self::Cookies => cookies::decode(input, Values::of_settings(settings), most_params(settings), output),
            Self::Json => json::decode(input, Settings::from_bits(settings), output),
            Self::Multipart => multipart::decode(input, settings, output),
            Self::Params => params::decode(input, most_params(settings), output),
        }
    }
}

fn most_params(settings: u64) -> u32 {
    match u32::try_from(settings & u64::from(PARAMS_SETTING_MOST)) {
        Ok(0) | Err(_) => PARAMS_MOST,
        Ok(most) => most,
    }
}
