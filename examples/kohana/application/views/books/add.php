<form method="post">
<?php foreach (array('title', 'isbn') as $field): ?>
	<p>
		<?php echo Form::label($field, $field), ' ', Form::input($field, Arr::get($form, $field), array('id' => $field)) ?>
		<span class="error"><?php echo HTML::chars(Arr::get($errors, $field)) ?></span>
	</p>
<?php endforeach ?>
	<?php echo Form::button(NULL, 'Add') ?>
</form>
