<?php

/**
 * What of an earlier version lives on in the GNU General Public License of 2007?
 *
 * PHP has no difflib and no statistics. Python has both, and classes/Licence/Text.py uses them. Licence_Text
 * is that Python class: there is no PHP class of this name.
 */

declare(strict_types=1);

[$first, $second, $third] = Licence_Text::load('GPL-1', 'GPL-2', 'GPL-3');

echo 'From ', Licence_Text::FOLDER, ", measured in words by Python's statistics:\n\n";
printf("%9s  %8s  %5s  %15s  %16s\n", '', 'sections', 'words', 'median sentence', 'longest sentence');
foreach ([$first, $second, $third] as $licence) {
    printf("%9s  %8d  %5d  %15.1f  %16d\n", $licence->name, ...array_values($licence->measures()));
}

$kept = $third->compare(older: $second, least: 0.25);
echo "\n", count($kept), ' of the ', count($third->sections), " sections of {$third->name} go back to one of",
    " {$second->name}, by Python's difflib:\n\n";
foreach ($kept as $match) {
    $section = $match->section;
    $bar = str_repeat('█', (int) round(20 * $match->similarity));
    printf("%6d  %-44s", $section->number, $section->title);
    printf("from %2d  %3.0f %%  %s\n", $match->origin->number, 100 * $match->similarity, $bar);
}

$last = end($kept);
echo "\nThis has stood in it since {$second->name}, word for word:\n\n";
echo '    ', wordwrap($last->longest(), 100, "\n    "), "\n";

echo "\nA Python error is a PHP exception:\n\n";
try {
    new Licence_Text('GPL-4');
} catch (Tortoise\PythonException $error) {
    for ($cause = ''; $error !== null; $error = $error->getPrevious(), $cause = 'caused by ') {
        $line = trim(file($error->getFile())[$error->getLine() - 1]);
        echo "    {$cause}", $error::class, ": {$error->getMessage()}\n";
        echo "        {$error->getFile()}:{$error->getLine()}\n        {$line}\n";
    }
}
