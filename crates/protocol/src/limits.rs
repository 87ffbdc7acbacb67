//! Every bound of the wire, with its reason. A length, count or depth from outside is compared with
//! its limit before anything is allocated for it.

/// Bytes of one frame's payload and segments. Several times the largest array or image that a page handles, and far
/// below what a 32-bit length could ask for.
pub const MAX_FRAME_BYTES: usize = 512 << 20;

/// Bytes of a hello's payload: paths and names only, and it is read from a peer nobody knows yet.
pub const MAX_HELLO_BYTES: usize = 64 << 10;

/// Bytes of a token, at least: nobody guesses that many, if they were made at random.
pub const MIN_TOKEN_BYTES: usize = 32;

/// Bytes of a token, at most. Room for any signed one, and small in a hello.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// Bytes of what a supervisor tells an operator: of its status, which names each session.
pub const MAX_TOLD_BYTES: usize = 16 << 20;

/// Nesting of a value. Deep enough for any real document, shallow enough that the recursive walks of both
/// sides stay within an ordinary thread's stack.
pub const MAX_DEPTH: u32 = 512;

/// Bytes of a class, method, attribute or argument name. Longer ones are not written by hand.
pub const MAX_NAME_BYTES: usize = 1024;

/// Bytes of a path (`PATH_MAX` on Linux).
pub const MAX_PATH_BYTES: usize = 4096;

/// Bytes of an integer that is larger than 64 bits: two and a half million decimal digits. Larger ones stay where they are.
pub const MAX_INTEGER_BYTES: usize = 1 << 20;

/// Class roots of one session.
pub const MAX_ROOTS: usize = 64;

/// Patterns of modules that a client may open.
pub const MAX_MODULE_PATTERNS: usize = 1024;

/// Method names that a client may give an index on one connection. A program calls fewer; each costs the session a word.
pub const MAX_METHOD_INDEXES: usize = 4096;

/// Items of an iterator that one answer may bring.
pub const MAX_ITEMS: usize = 1 << 16;

/// Positional arguments of one call, and named ones.
pub const MAX_ARGUMENTS: usize = 1 << 16;

/// Bases of one class. CPython's own classes have a handful.
pub const MAX_BASES: usize = 64;

/// Methods that PHP declares for one class; the largest of the standard library have some 200.
pub const MAX_METHODS: usize = 4096;

/// Parameters of one method (CPython itself has no limit since 3.7; PHP's compiler slows down beyond this).
pub const MAX_PARAMETERS: usize = 255;

/// Constants of one class; `socket` and `errno` style modules have a few hundred.
pub const MAX_CONSTANTS: usize = 4096;

/// Bytes of one docstring. It is kept for as long as PHP holds the class.
pub const MAX_DOCUMENTATION_BYTES: usize = 256 << 10;

/// Exceptions of one chain of causes.
pub const MAX_CAUSES: usize = 32;

/// Frames of one traceback that PHP puts into a trace. Of an endless recursion more would say no more; the text has all.
pub const MAX_FRAMES: usize = 128;

/// Bytes of an error's message and of its traceback, each. A message may quote the value it refuses.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// Callbacks that may be under way at once, each inside the call of another. Python's own limit of recursion, 1000 frames,
/// usually comes first. PHP sets 6 KiB of its stack aside for each, which is of 8 MiB; in a fiber it is smaller, and so is the limit.
pub const MAX_CALLBACK_DEPTH: usize = 1024;

/// Coroutines of one session that run at once, and that PHP does not wait for. Each takes some kilobytes.
pub const MAX_COROUTINES: usize = 1 << 14;

/// Names of parents and interfaces of a PHP class.
pub const MAX_PHP_PARENTS: usize = 1024;

/// Releases that wait for the next frame. Beyond it they are sent in a frame of their own.
pub const MAX_PENDING_RELEASES: usize = 1024;

/// Shared objects of one worker. Each was made for a purpose of its own; a program that makes names up must be told.
pub const MAX_SHARED_OBJECTS: usize = 1024;
