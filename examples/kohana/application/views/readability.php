<form>
	<p><?php echo Form::textarea('text', $text, array('rows' => 6, 'cols' => 60)) ?></p>
	<?php echo Form::button(NULL, 'Measure') ?>
</form>
<p>Reading ease: <b><?php echo $readability->ease() ?></b> (100 is very easy, 0 very hard)</p>
<p>
<?php foreach ($readability->most_common() as $word => $count): ?>
	<?php echo HTML::chars($word), ' × ', $count ?>;
<?php endforeach ?>
</p>
