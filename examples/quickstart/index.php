<?php

/**
 * Two licences side by side, compared by Python: served by `make demo-page`.
 *
 * Licence_Text is a Python class; see classes/Licence/Text.py. Ask for one that does not exist
 * (?newer=GPL-4), and Python's error is the page's.
 */

declare(strict_types=1);

const LEAST = 0.25;

function text(string|int $value): string
{
    return htmlspecialchars((string) $value, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

/** The name that the form sent, if it is one. */
function chosen(string $field, string $default): string
{
    $value = $_GET[$field] ?? $default;

    return is_string($value) ? $value : $default;
}

$chosen = ['newer' => chosen('newer', 'GPL-3'), 'older' => chosen('older', 'GPL-2')];
$errors = [];
$matches = [];
$names = Licence_Text::names();
try {
    [$newer, $older] = Licence_Text::load(...array_values($chosen));
    $matches = $newer->compare(older: $older, least: LEAST);
} catch (Tortoise\PythonException $error) {
    http_response_code(404);
    for (; $error !== null; $error = $error->getPrevious()) {
        $errors[] = $error;
    }
}

?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Licences compared</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 58rem; margin: 3rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; width: 100%; }
  th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #ddd; }
  th { font-weight: 600; }
  .number { text-align: right; font-variant-numeric: tabular-nums; }
  .bar { width: 30%; }
  .bar i { display: block; height: .7rem; margin-top: .45rem; background: #2a7f62; }
  blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #2a7f62; color: #555; }
  .error { border-left: 3px solid #b3362b; padding-left: 1rem; }
  code, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
  pre { background: #f6f6f4; padding: .6rem .8rem; overflow-x: auto; }
  select, button { font: inherit; }
</style>

<h1>What lives on of an older licence?</h1>
<form>
<?php foreach ($chosen as $field => $name) { ?>
  <label><?= text($field) ?>
    <select name="<?= text($field) ?>">
    <?php foreach ($names as $option) { ?>
      <option<?= $option === $name ? ' selected' : '' ?>><?= text($option) ?></option>
    <?php } ?>
    </select>
  </label>
<?php } ?>
  <button>Compare</button>
</form>

<?php foreach ($errors as $error) { ?>
<section class="error">
  <h2><?= text($error->getPythonClass()) ?></h2>
  <p><?= text($error->getMessage()) ?></p>
  <pre><?= text($error->getFile()) ?>:<?= $error->getLine() ?>

<?= text(trim(file($error->getFile())[$error->getLine() - 1])) ?></pre>
</section>
<?php } ?>

<?php if ($errors === []) { ?>
<p>
  <?= count($matches) ?> of the <?= count($newer->sections) ?> sections of <?= text($newer->name) ?> go back to
  one of <?= text($older->name) ?>. Compared word by word, by Python’s <code>difflib</code>.
</p>
<table>
  <tr><th class="number">§<th>Section<th class="number">from §<th class="number">alike<th class="bar"></tr>
<?php foreach ($matches as $match) { ?>
  <tr>
    <td class="number"><?= $match->section->number ?>
    <td><?= text($match->section->title) ?>
    <td class="number"><?= $match->origin->number ?>
    <td class="number"><?= round(100 * $match->similarity) ?> %
    <td class="bar"><i style="width: <?= round(100 * $match->similarity) ?>%"></i>
  </tr>
<?php } ?>
</table>
<?php if ($matches !== []) { ?>
<p>The longest passage that section <?= end($matches)->section->number ?> has kept, word for word:</p>
<blockquote><?= text(end($matches)->longest()) ?></blockquote>
<?php } ?>
<?php } ?>
</html>
