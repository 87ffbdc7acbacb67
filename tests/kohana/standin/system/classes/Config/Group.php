<?php defined('SYSPATH') OR die('No direct script access.');

class Config_Group extends ArrayObject {

	public function as_array()
	{
		return $this->getArrayCopy();
	}

}
