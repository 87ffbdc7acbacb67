<h1><?php echo $class, ' [ ', $code, ' ]: ', htmlspecialchars($message) ?></h1>
<p><?php echo Debug::path($file), ' [ ', $line, ' ]' ?></p>
<?php echo Debug::source($file, $line) ?>
<ol>
<?php foreach (Debug::trace($trace) as $step): ?>
	<li><?php echo $step['file'] ? Debug::path($step['file']).' [ '.$step['line'].' ]' : '{PHP internal call}' ?> &raquo; <?php echo $step['function'] ?>()
	<?php echo $step['source'] ?></li>
<?php endforeach ?>
</ol>
