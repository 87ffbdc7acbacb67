<?php defined('SYSPATH') OR die('No direct script access.');

class HTML {

	public static function chars($value)
	{
		return htmlspecialchars((string) $value, ENT_QUOTES, 'utf-8');
	}

}
