<?php defined('SYSPATH') OR die('No direct script access.');
/**
 * A controller in PHP that uses a Python class as any other: see Text/Readability.py.
 */
class Controller_Readability extends Controller {

	public function action_index()
	{
		$text = (string) Arr::get($_GET, 'text', 'It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife.');

		$this->response->body(View::factory('page', array(
			'title'   => 'How easy is it to read?',
			'content' => View::factory('readability', array(
				'text'        => $text,
				'readability' => Text_Readability::factory($text),
			)),
		)));
	}

}
