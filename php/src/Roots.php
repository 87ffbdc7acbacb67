<?php

declare(strict_types=1);

namespace Tortoise\Composer;

/**
 * The class roots that a project names in its composer.json.
 *
 *     "extra": {"tortoise": {"path": ["python", "src/classes"]}}
 */
final class Roots
{
    /**
     * Has the extension search the project's class roots, in their order, behind those of `tortoise.path`.
     *
     * @param string $project the folder of the project's composer.json
     *
     * @throws \UnexpectedValueException if composer.json does not name them as it should
     * @throws \Tortoise\AccessException if one of them is no folder
     */
    public static function register(string $project): void
    {
        foreach (self::of($project) as $root) {
            \Tortoise\register($root);
        }
    }

    /**
     * The class roots of a project, as absolute paths; none if it has no composer.json.
     *
     * @return list<string>
     *
     * @throws \UnexpectedValueException if `extra.tortoise.path` is neither a text nor a list of texts
     */
    public static function of(string $project): array
    {
        $file = "{$project}/composer.json";
        if (!is_file($file)) {
            return [];
        }
        $path = json_decode((string) file_get_contents($file), true)['extra']['tortoise']['path'] ?? [];
        $paths = \is_string($path) ? [$path] : $path;
        if (!\is_array($paths) || array_filter($paths, 'is_string') !== $paths || !array_is_list($paths)) {
            throw new \UnexpectedValueException(
                "extra.tortoise.path in {$file} must be a folder or a list of folders, relative to that file",
            );
        }

        return array_map(static fn (string $path): string => $path[0] === '/' ? $path : "{$project}/{$path}", array_filter($paths));
    }
}
