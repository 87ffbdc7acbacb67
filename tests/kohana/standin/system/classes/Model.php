<?php defined('SYSPATH') OR die('No direct script access.');

abstract class Model {

	public static function factory($name)
	{
		$class = 'Model_'.$name;

		return new $class;
	}

}
