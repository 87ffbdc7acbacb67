<?php

declare(strict_types=1);

namespace Tortoise\Tests\Support;

/** A Python class whose file is edited while others use it: {@see SHOW} prints which version of it a PHP request sees. */
final class Edited
{
    /** Prints the version that a method says, the one that PHP's class says, and the session. */
    public const SHOW = Script::ATTEMPT . 'attempt(fn() => [(new Edited())->version(), Edited::VERSION, Tortoise\status()["session"]]);';

    /** Writes a version of the class. */
    public static function write(Sandbox $sandbox, int $version): void
    {
        // Python takes a file of the same second and length for the same.
        $length = str_repeat('.', $version);
        self::replace($sandbox->path('classes/Edited.py'), <<<PY
            # {$length}
            class Edited:
                VERSION = {$version}

                def version(self) -> int:
                    return self.VERSION

                def read(self, file: str) -> str:
                    with open(file) as stream:
                        return stream.read()

            PY);
    }

    /** Replaces a file as editors do. A new one has been there for a while. */
    public static function replace(string $file, string $content): void
    {
        $isNew = !file_exists($file);
        file_put_contents("{$file}.new", $content);
        if ($isNew) {
            touch("{$file}.new", time() - 100);
        }
        rename("{$file}.new", $file);
    }

    /** What {@see SHOW} printed. @return array{int, int, string} */
    public static function shown(string $line): array
    {
        \PHPUnit\Framework\Assert::assertStringStartsWith('value: ', $line);

        return json_decode(substr($line, \strlen('value: ')), true, 512, \JSON_THROW_ON_ERROR);
    }
}
