<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title><?php echo $title ?></title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 44em; margin: 2em auto; padding: 0 1em; color: #222; }
nav a { margin-right: 1em; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .3em .8em .3em 0; border-bottom: 1px solid #ddd; text-align: left; }
.error { color: #911; }
</style>
<nav>
	<?php echo HTML::anchor('books/index', 'Books'), HTML::anchor('books/add', 'Add'), HTML::anchor('readability', 'Readability'), HTML::anchor('books/show/99', 'A 404'), HTML::anchor('books/fail', 'An error') ?>
</nav>
<h1><?php echo $title ?></h1>
<?php echo $content ?>
</html>
