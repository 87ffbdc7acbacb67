<form>
	<?php echo Form::input('title', $title, array('placeholder' => 'pride and prejudise')), Form::button(NULL, 'Search') ?>
</form>
<p><?php echo count($books) ?> books, found and described by Python objects.</p>
<table>
<?php foreach ($books as $book): ?>
	<tr>
		<td><?php echo HTML::anchor('books/show/'.$book->number, HTML::chars($book->title)) ?></td>
		<td><?php echo HTML::chars($book->author) ?></td>
		<td><?php echo $book->pages ?> pages</td>
	</tr>
<?php endforeach ?>
</table>
