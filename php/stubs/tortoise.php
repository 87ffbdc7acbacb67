<?php

/**
 * What tortoise.so declares, for IDEs and static analysis. Never loaded: the extension is the implementation.
 */

declare(strict_types=1);

namespace Tortoise {
    /**
     * The default of a parameter whose default only Python can write. Passing it passes nothing.
     */
    const LEFT_OUT = "\u{1}tortoise: left out, Python's default\u{1}";

    /**
     * Searches one more class root, behind the others, in this request.
     *
     * @throws AccessException if it is not a directory
     */
    function register(string $root): void {}

    /**
     * Sets ini settings by their names without `tortoise.`, before the first use of a Python class.
     *
     * @param array<string, string|int|float|bool> $settings
     *
     * @throws AccessException if a Python class has been used, or there is no such setting
     */
    function configure(array $settings): void {}

    /**
     * The Python class object behind a PHP class, with its live attributes.
     *
     * @throws AccessException if there is no Python class of that name
     */
    function type(string $class): PyObject {}

    /**
     * A Python module, as an object with its attributes, functions and classes: `import('math')->sqrt(2)`.
     *
     * It must be a module of a class root, or one that `tortoise.modules` lets in, and the sidecar's `modules` too.
     *
     * @throws AccessException if PHP may not use the module
     * @throws Python\ModuleNotFoundError if there is none; any other PythonException that its code raises
     */
    function import(string $module): PyObject {}

    /**
     * Calls a function of a script in a class root: `call('tools/h', 'hello', 'you', times: 2)` is `hello` in tools/h.py.
     *
     * Named arguments are Python's keyword arguments; two cannot be passed so: `script` and `function`.
     *
     * @throws AccessException if there is no such script, or the function is private
     * @throws Python\AttributeError if the script has no such function
     */
    function call(string $script, string $function, mixed ...$args): mixed {}

    /**
     * The one object of this name for all PHP processes that use the sidecar. It lives in a process of its own; the first who
     * asks has it made of the class and the arguments, which do not matter to the others.
     *
     * Its methods, attributes and protocols take and give values, no objects. Calls wait for each other, unless the class is
     * marked `@shareable(thread_safe=True)`. Two named arguments cannot be passed so: `name` and `class`.
     *
     * @throws AccessException if there is no such class
     * @throws ConversionException if an argument is no value
     * @throws PythonException what the constructor raises
     */
    function shared(string $name, string $class, mixed ...$args): PyObject {}

    /**
     * Python's `with`: calls the body with what the manager's `__enter__` gives, and its `__exit__` behind that.
     *
     * What the body throws goes to `__exit__`: a Python exception as itself, one of PHP as a
     * `tortoise_worker.errors.PhpException`. If `__exit__` swallows it, null comes back. On `exit()` in the body
     * `__exit__` sees a `SystemExit`, and after a fatal error too, when the request ends.
     *
     * @return mixed what the body returns
     */
    function with(PyObject $manager, callable $body): mixed {}

    /**
     * Calls the function, and gives all calls of Python in it so many seconds together; 0 gives them no bound.
     *
     * It counts in place of `tortoise.timeout`, and may be longer or shorter. Within another one the earlier end counts. PHP code
     * itself is not interrupted: the time is looked at where PHP asks something of Python, or waits for it, also in Fibers that
     * the function resumes, at `Future::await()`, and in callbacks.
     *
     * When the time is over in the middle of a call, Python gets an exception where it is, so that `finally` runs, and is killed if
     * it does not end by that. Its objects are gone; the next `new` gets a new session. A call that would only begin then is not
     * made, and the session stays.
     *
     * @return mixed what the function returns
     *
     * @throws TimeoutException if the time is over
     * @throws AccessException if the number makes no sense
     */
    function timeout(float $seconds, callable $function): mixed {}

    /**
     * Has PHP code told of each call of a Python method or constructor that PHP code makes in the rest of this request; null:
     * no more. A second pair takes the place of the first.
     *
     * `$begin(string $class, string $method): mixed` is called before the call: the object's class by its PHP name, and the
     * method as PHP calls it, `__construct` for constructors. `$end(mixed $token, bool $failed): void` is called behind it
     * with what `$begin` returned, also when the call throws, and before its exception goes on. A call that is left by `exit()`
     * has no end, nor has one in a fatal error.
     *
     * What an observer throws goes to the caller; if `$begin` throws, the call is not made. Calls that the observers make
     * themselves are not observed, nor are attributes, items, operators, and calls through `async()`.
     *
     * @throws AccessException if there is an `$end` without a `$begin`
     */
    function observe(?callable $begin, ?callable $end = null): void {}

    /**
     * A slice of Python, for `$o[Tortoise\slice(1, 3)]`, for one axis of several, `$o[[Tortoise\slice(1), 0]]`, and for any
     * argument. Texts such as `$o['1:3']` say the same, unless the class has `keys()`.
     *
     * Null stands for an end, and for a step of 1. Unlike Python's own, one bound alone is the start.
     */
    function slice(mixed $start = null, mixed $stop = null, mixed $step = null): PyObject {}

    /**
     * A view of a Python object whose calls are sent at once, without waiting for their answers:
     *
     *     $view = Tortoise\async($shop);
     *     $prices = $view->prices('EUR');
     *     $stock = $view->stock(warehouse: 3);
     *     ['prices' => $prices, 'stock' => $stock] = Future::all(['prices' => $prices, 'stock' => $stock]);
     *
     * The session runs methods one after the other, in the order in which they were sent, while PHP does something else.
     * Coroutines (`async def`) begin in that order too, and run side by side: ten that wait a second take a second.
     * A method that was not awaited when the PHP request ends still runs; if it takes longer than a second more, the next
     * request gets a new session, and the call ends with the old one. Coroutines are cancelled then.
     */
    function async(PyObject $object): AsyncView {}

    /**
     * Tells of the link to Python, and connects nothing.
     *
     * @return array<string, mixed>
     */
    function status(): array {}

    /** Implemented by every class that stands for a Python class. */
    interface Remote {}

    /**
     * The parent of the classes that stand for Python classes and have no other parent.
     *
     * `foreach` iterates over an object as Python's `for` does, and throws Python's TypeError if it cannot. Keys count
     * from 0. What is behind the loop finds a generator's `finally` done, also when the loop was left early.
     */
    class PyObject implements Remote
    {
        public function __construct(mixed ...$arguments) {}

        /**
         * The elements by value: an array's numbers, a mapping's pairs, the items of what else has a length. A method
         * that Python's class calls `toArray` takes its place.
         *
         * @return array<mixed>
         *
         * @throws ConversionException if PHP cannot have the elements as an array
         */
        public function toArray() {}
    }

    /** A string that Python gets as `bytes`, whatever stands in it. Other strings are `str` if they are UTF-8. */
    final class Bytes implements \Stringable
    {
        public function __construct(string $bytes) {}

        public function __toString(): string {}
    }

    /** What `async()` gives. It has the methods of the Python object, and none of its attributes. */
    final class AsyncView
    {
        private function __construct() {}

        /**
         * Sends a call of a method. Named arguments have the names that Python gives them.
         *
         * @param array<mixed> $arguments
         *
         * @throws ConversionException if an argument cannot be given to Python
         * @throws StaleObjectException if the object's session is gone
         * @throws ConnectionException if the session is lost
         * @throws AccessException if the method is PHP code
         */
        public function __call(string $name, array $arguments): Future {}

        /** Sends a call of the object itself; throws as `__call` does. */
        public function __invoke(mixed ...$arguments): Future {}

        /** @throws AccessException always */
        public function __get(string $name): mixed {}

        /** @throws AccessException always */
        public function __set(string $name, mixed $value): void {}

        /** @throws AccessException always */
        public function __isset(string $name): bool {}

        /** @throws AccessException always */
        public function __unset(string $name): void {}
    }

    /**
     * The answer to a call that was not waited for.
     *
     * One that is dropped before it was awaited gives its objects back; if its call failed, PHP's error log says so.
     */
    final class Future
    {
        private function __construct() {}

        /**
         * Waits for the call's value. Further calls give the same value, or throw the same exception object.
         *
         * `tortoise.timeout` counts from here, or from when the last other call was answered.
         *
         * @throws \Throwable what the call threw
         * @throws TimeoutException if there is no answer in time; all other futures of the session throw it too then
         * @throws ConnectionException if the session is lost; likewise
         * @throws StaleObjectException in a fork of the process that made the call
         */
        public function await(): mixed {}

        /** Whether `await()` would wait for no Python code. Waits for nothing itself. */
        public function isReady(): bool {}

        /**
         * Awaits all of them, and gives their values under the same keys.
         *
         * @param iterable<Future> $futures
         *
         * @return array<mixed>
         *
         * @throws \Throwable what the first of them that failed threw; the others can still be awaited
         */
        public static function all(iterable $futures): array {}

        /**
         * The value of the first that has one, as JavaScript's `Promise.any` gives it. Errors of others do not matter then;
         * those can still be awaited.
         *
         * @param iterable<Future> $futures
         *
         * @throws AggregateException if all failed, or there are none; the error of the first that failed is its
         *                            previous exception, and each future still throws its own
         */
        public static function any(iterable $futures): mixed {}

        /**
         * Says that the value is not wanted any more, and waits for nothing. A coroutine gets `asyncio.CancelledError` where
         * it waits, a method that has not begun is not called, and one that runs goes on. `await()` throws that error if
         * nothing else came of the call. Does nothing if the answer is there.
         *
         * @throws ConnectionException if the session is lost
         */
        public function cancel(): void {}

        /** Whether `cancel()` came before the answer, and no value came all the same. */
        public function isCancelled(): bool {}
    }

    /** Marks everything that the bridge throws. */
    interface Exception extends \Throwable {}

    /**
     * A Python exception; its file and line are those of the Python source, and its trace begins with Python's frames.
     *
     * Its class is Python's: `Tortoise\Python\KeyError`, or a class of a class root by its own name. It has the attributes
     * and the methods of the Python exception; `message`, `code`, `file` and `line` are PHP's own. `new` of such a class
     * constructs the exception in Python. One Python exception is one PHP object for as long as PHP has that.
     *
     * `Tortoise\Python\ExceptionGroup` and `Tortoise\Python\BaseExceptionGroup` have a method more,
     * `getExceptions(): array`: their members, as exceptions.
     */
    class PythonException extends \RuntimeException implements Exception, Remote
    {
        /** Its class as Python names it: `module.Class`, or `Class` for a built-in one. */
        final public function getPythonClass(): string {}

        /** Python's traceback, without those of the causes. */
        final public function getPythonTraceback(): string {}

        /** The exception object itself, with all its attributes. */
        final public function getPythonException(): PyObject {}
    }

    /** The sidecar cannot be reached, or the session was lost. */
    class ConnectionException extends \RuntimeException implements Exception {}

    /** No answer came within `tortoise.timeout`. */
    class TimeoutException extends \RuntimeException implements Exception {}

    /** The Python object is gone: its session or its request has ended. */
    class StaleObjectException extends \RuntimeException implements Exception {}

    /** A value has no equal in the other language; the message names its place, as `args[2]["when"]`. */
    class ConversionException extends \RuntimeException implements Exception {}

    /** The name is private, or not to be used from PHP. */
    class AccessException extends \RuntimeException implements Exception {}

    /** None of the futures that `Future::any()` was given has a value. */
    class AggregateException extends \RuntimeException implements Exception {}
}
