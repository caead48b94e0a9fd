//! What a storage plan becomes: confined object stores
