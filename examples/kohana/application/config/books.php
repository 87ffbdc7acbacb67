<?php defined('SYSPATH') OR die('No direct access allowed.');

return array(
	'least_likeness' => 0.5,
	'catalogue'      => array(
		array('Pride and Prejudice', 'Jane Austen', '9780141439518', 480),
		array('Sense and Sensibility', 'Jane Austen', '9780141439662', 409),
		array('Wives and Daughters', 'Elizabeth Gaskell', '9780140434781', 720),
		array('North and South', 'Elizabeth Gaskell', '9780140434248', 480),
		array('Mansfield Park', 'Jane Austen', '9780141439808', 507),
		array('Middlemarch', 'George Eliot', '9780141439549', 880),
		array('Cranford', 'Elizabeth Gaskell', '9780141439884', 257),
	),
);
