<p><?php echo HTML::chars($book->author), ', ', $book->pages, ' pages, ISBN ', $book->isbn ?></p>
<?php if ($others): ?>
<h2>Titles like it</h2>
<ul>
<?php foreach ($others as $other): ?>
	<li><?php echo HTML::anchor('books/show/'.$other->number, HTML::chars($other->title)) ?></li>
<?php endforeach ?>
</ul>
<?php endif ?>
